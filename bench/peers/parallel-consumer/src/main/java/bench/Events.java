package bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/** Decodes values as the registry's clients frame them: a zero, the schema's id, Avro's binary encoding. */
final class Events {
  private static final int FRAME_BYTES = 5;

  private final String registry;
  private final Map<Integer, GenericDatumReader<GenericRecord>> readers = new ConcurrentHashMap<>();
  private final ThreadLocal<BinaryDecoder> decoders = new ThreadLocal<>();

  Events(String registry) {
    this.registry = registry;
  }

  GenericRecord decode(byte[] value) {
    var reader = readers.computeIfAbsent(ByteBuffer.wrap(value).getInt(1), this::load);
    var decoder =
        DecoderFactory.get().binaryDecoder(value, FRAME_BYTES, value.length - FRAME_BYTES, decoders.get());
    decoders.set(decoder);
    try {
      return reader.read(null, decoder);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private GenericDatumReader<GenericRecord> load(int id) {
    var request = HttpRequest.newBuilder(URI.create(registry + "/schemas/ids/" + id)).build();
    try {
      var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
      var text = new ObjectMapper().readTree(response.body()).get("schema").asText();
      return new GenericDatumReader<>(new Schema.Parser().parse(text));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }
}
