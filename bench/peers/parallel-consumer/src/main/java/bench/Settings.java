package bench;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Map;

/** Of one run; handed over as JSON in the only argument. */
record Settings(
    @JsonProperty("bootstrap_servers") String bootstrapServers,
    @JsonProperty("group") String group,
    @JsonProperty("topic") String topic,
    @JsonProperty("records") long records,
    @JsonProperty("registry") String registry,
    @JsonProperty("url") String url,
    @JsonProperty("headers") Map<String, String> headers,
    @JsonProperty("acknowledged") int acknowledged,
    @JsonProperty("items") int items,
    @JsonProperty("in_flight") int inFlight) {}
