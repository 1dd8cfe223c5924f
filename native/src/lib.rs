//! An optional faster reader of Avro values for distinct-consumer: bytes to Python objects, by a hardened schema.
//!
//! What it gives, the Python reader and fastavro give too; what it does not read, damaged or merely unusual, it hands
//! to the reader it was given for that. So no verdict and no reason is its own.

mod cursor;
mod instant;
mod reader;
mod schema;
mod shape;
mod unread;

use pyo3::prelude::*;

/// What the consumer asks for before it uses this module: raised when `Reader` takes or gives something else.
const INTERFACE: u32 = 1;

/// The module as Python sees it; its types are in `distinct_consumer_native.pyi`.
#[pymodule]
fn distinct_consumer_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // A panic here ends in the other reader. To print it takes memory, and where there is none it would hang for ever.
    std::panic::set_hook(Box::new(|_| {}));
    module.add("INTERFACE", INTERFACE)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<reader::Reader>()
}
