package bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.IndexedRecord;

/** The items of requests, as bench/bodies.py makes them. */
final class Items {
  private Items() {}

  /** An item of an array to the Client API's events. */
  static void client(GenericRecord event, JsonGenerator json) throws IOException {
    var payload = (GenericRecord) event.get("payload");
    var user = (GenericRecord) event.get("user");
    json.writeStartObject();
    json.writeStringField("name", name(payload));
    present(json, "external_id", user.get("external_id"));
    present(json, "anonymous_id", user.get("anonymous_id"));
    json.writeObjectFieldStart("data");
    json.writeStringField("event_id", event.get("id").toString());
    json.writeStringField("occurred_at", Instant.ofEpochMilli((Long) event.get("occurred_at")).toString());
    data(payload, json);
    json.writeEndObject();
    json.writeEndObject();
  }

  /** The object of a request to User Analytics, of an Engagement or an EmailOpened. */
  static void analytics(GenericRecord event, JsonGenerator json) throws IOException {
    var payload = (GenericRecord) event.get("payload");
    var user = (GenericRecord) event.get("user");
    var opened = payload.getSchema().getName().equals("EmailOpened");
    json.writeStartObject();
    present(json, "userId", user.get("user_id"));
    present(json, "email", user.get("email"));
    present(json, "phone", user.get("phone"));
    json.writeStringField("feature", opened ? "registration_email" : payload.get("feature").toString());
    json.writeStringField("action", opened ? "opened" : payload.get("action").toString());
    json.writeStringField("experienceId", payload.get("experience_id").toString());
    json.writeStringField("capturedAt", Instant.ofEpochMilli((Long) event.get("occurred_at")).toString());
    json.writeObjectFieldStart("metadata");
    json.writeStringField("event_id", event.get("id").toString());
    if (opened) {
      present(json, "message_id", payload.get("message_id"));
      present(json, "campaign_id", payload.get("campaign_id"));
    } else {
      present(json, "details", payload.get("metadata"));
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static String name(GenericRecord payload) {
    return switch (payload.getSchema().getName()) {
      case "Engagement" -> payload.get("feature") + "/" + payload.get("action");
      case "EmailOpened" -> "Email Opened";
      case "PageVisited" -> "Page Visited";
      case "CaptureEvent" -> payload.get("type").toString();
      case "DeviceRegistered" -> "Device Registered";
      case "PurchaseConfirmed" -> "Purchase Confirmed";
      case "ProfileUpdated" -> "Profile Updated";
      case "LoggedIn" -> "Logged In";
      case "CustomEvent" -> payload.get("name").toString();
      default -> payload.getSchema().getName();
    };
  }

  private static void data(GenericRecord payload, JsonGenerator json) throws IOException {
    switch (payload.getSchema().getName()) {
      case "Engagement" -> {
        fields(payload, json, Set.of("metadata"));
        present(json, "details", payload.get("metadata"));
      }
      case "EmailOpened" -> fields(payload, json, Set.of("machine"));
      case "CaptureEvent" -> {
        fields(payload, json, Set.of("type", "registration_page_value"));
        present(json, "page", payload.get("registration_page_value"));
      }
      case "DeviceRegistered" -> fields(payload, json, Set.of("token"));
      case "CustomEvent" -> fields(payload, json, Set.of("name"));
      default -> fields(payload, json, Set.of());
    }
  }

  private static void fields(GenericRecord record, JsonGenerator json, Set<String> without) throws IOException {
    for (var field : record.getSchema().getFields()) {
      if (!without.contains(field.name())) {
        present(json, field.name(), record.get(field.pos()));
      }
    }
  }

  private static void present(JsonGenerator json, String name, Object value) throws IOException {
    if (value != null) {
      json.writeFieldName(name);
      value(json, value);
    }
  }

  private static void value(JsonGenerator json, Object value) throws IOException {
    if (value == null) {
      json.writeNull();
    } else if (value instanceof CharSequence text) {
      json.writeString(text.toString());
    } else if (value instanceof Integer number) {
      json.writeNumber(number);
    } else if (value instanceof Long number) {
      json.writeNumber(number);
    } else if (value instanceof Double number) {
      json.writeNumber(number);
    } else if (value instanceof Boolean truth) {
      json.writeBoolean(truth);
    } else if (value instanceof Map<?, ?> map) {
      json.writeStartObject();
      for (var entry : map.entrySet()) {
        json.writeFieldName(entry.getKey().toString());
        value(json, entry.getValue());
      }
      json.writeEndObject();
    } else if (value instanceof Collection<?> items) {
      json.writeStartArray();
      for (var item : items) {
        value(json, item);
      }
      json.writeEndArray();
    } else if (value instanceof IndexedRecord record) {
      json.writeStartObject();
      for (var field : record.getSchema().getFields()) {
        json.writeFieldName(field.name());
        value(json, record.get(field.pos()));
      }
      json.writeEndObject();
    } else {
      throw new IllegalArgumentException("no JSON is known for " + value.getClass());
    }
  }
}
