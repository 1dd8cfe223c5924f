package bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.CommitMode;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.PollContext;
import io.confluent.parallelconsumer.vertx.VertxParallelEoSStreamProcessor;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** parallel-consumer with its Vert.x module: ordered by key, committed asynchronously every so often. */
public final class Main {
  private static final long IDLE_S = 2;

  private final Settings settings;
  private final Events events;
  private final WebClient client;
  private final JsonFactory jsonFactory = new JsonFactory();
  private final AtomicLong delivered = new AtomicLong();
  private final CountDownLatch done = new CountDownLatch(1);

  private Main(Settings settings, WebClient client) {
    this.settings = settings;
    this.client = client;
    this.events = new Events(settings.registry());
  }

  public static void main(String[] arguments) throws Exception {
    var settings = new ObjectMapper().readValue(arguments[0], Settings.class);
    var vertx = Vertx.vertx();
    // Its default of five connections would be the limit of everything.
    var client = WebClient.create(vertx, new WebClientOptions().setMaxPoolSize(settings.inFlight()));
    var consumer =
        new KafkaConsumer<>(properties(settings), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    var options =
        ParallelConsumerOptions.<byte[], byte[]>builder()
            .consumer(consumer)
            .ordering(ProcessingOrder.KEY)
            .commitMode(CommitMode.PERIODIC_CONSUMER_ASYNCHRONOUS)
            .maxConcurrency(settings.inFlight())
            .batchSize(settings.items())
            .build();
    var processor = new VertxParallelEoSStreamProcessor<byte[], byte[]>(vertx, client, options);
    processor.subscribe(List.of(settings.topic()));
    var main = new Main(settings, client);
    processor.vertxFuture(main::send);
    if (settings.records() == 0) {
      main.done.await(IDLE_S, TimeUnit.SECONDS);
    } else {
      main.done.await();
    }
    processor.closeDrainFirst();
    vertx.close();
    System.out.println("{\"delivered\": " + main.delivered + "}");
    System.exit(0);
  }

  private static Properties properties(Settings settings) {
    var properties = new Properties();
    properties.put("bootstrap.servers", settings.bootstrapServers());
    properties.put("group.id", settings.group());
    properties.put("auto.offset.reset", "earliest");
    properties.put("enable.auto.commit", "false");
    return properties;
  }

  private Future<?> send(PollContext<byte[], byte[]> context) {
    var request = client.postAbs(settings.url());
    settings.headers().forEach(request::putHeader);
    return request
        .sendBuffer(body(context))
        .compose(
            response ->
                response.statusCode() == settings.acknowledged()
                    ? Future.succeededFuture()
                    : Future.failedFuture("the receiver answered " + response.statusCode()))
        .onSuccess(
            nothing -> {
              if (delivered.addAndGet(context.size()) >= settings.records()) {
                done.countDown();
              }
            });
  }

  private Buffer body(PollContext<byte[], byte[]> context) {
    var out = new ByteArrayOutputStream();
    try (var json = jsonFactory.createGenerator(out)) {
      if (settings.items() == 1) {
        Items.analytics(events.decode(context.value()), json);
      } else {
        json.writeStartArray();
        for (var record : context.getConsumerRecordsFlattened()) {
          Items.client(events.decode(record.value()), json);
        }
        json.writeEndArray();
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    return Buffer.buffer(out.toByteArray());
  }
}
