//! Optional native code for distinct-consumer: Avro values read by a hardened schema, and mapped by a topology's routes.
//!
//! What it gives, Python gives too; what it does not read or map, damaged or merely unusual, it leaves to Python. So no
//! verdict and no reason is its own.

mod cursor;
mod instant;
mod json;
mod mapper;
mod reader;
mod recipe;
mod route;
mod schema;
mod shape;
mod time_ordered;
mod unread;
mod way;

use pyo3::prelude::*;

/// What the consumer asks for before it uses this module: raised when `Reader` or `Mapper` takes or gives something else.
const INTERFACE: u32 = 3;

/// The module as Python sees it; its types are in `distinct_consumer_native.pyi`.
#[pymodule]
fn distinct_consumer_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // A panic here ends in the other reader. To print it takes memory, and where there is none it would hang for ever.
    std::panic::set_hook(Box::new(|_| {}));
    module.add("INTERFACE", INTERFACE)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<mapper::Mapper>()?;
    module.add_class::<reader::Reader>()
}
