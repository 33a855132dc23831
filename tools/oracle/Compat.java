import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

/**
 * The verdict of Apache Avro itself on pairs of schemas. One JSON object a line comes in, one goes out, in the same order:
 *
 * <pre>
 * {id, reader, writer}  ->  {id, compatible, incompatibilities: [{kind, location, message}]}
 *                           {id, refused: "reader" | "writer" | "both", message}     the parser, with its defaults, threw
 *                           {id, thrown, message}                                    the checker threw; thrown is the class
 * </pre>
 */
public final class Compat {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws IOException {
    try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 16)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (line.isBlank()) continue;
        out.write(JSON.writeValueAsString(answer(JSON.readTree(line))));
        out.write('\n');
        if (!in.ready()) out.flush(); // whoever asks one pair at a time waits for its answer
      }
    }
  }

  private static ObjectNode answer(JsonNode pair) {
    ObjectNode answer = JSON.createObjectNode();
    answer.set("id", pair.get("id"));
    Parsed reader = Parsed.of(pair.get("reader"));
    Parsed writer = Parsed.of(pair.get("writer"));
    if (reader.fault != null || writer.fault != null) {
      answer.put("refused", reader.fault == null ? "writer" : writer.fault == null ? "reader" : "both");
      return answer.put("message", describe(reader.fault == null ? writer.fault : reader.fault));
    }
    try {
      SchemaCompatibility.SchemaCompatibilityResult result =
          SchemaCompatibility.checkReaderWriterCompatibility(reader.schema, writer.schema).getResult();
      answer.put("compatible", result.getCompatibility() == SchemaCompatibility.SchemaCompatibilityType.COMPATIBLE);
      ArrayNode list = answer.putArray("incompatibilities");
      for (SchemaCompatibility.Incompatibility each : result.getIncompatibilities()) {
        list.addObject().put("kind", each.getType().name()).put("location", each.getLocation()).put("message", each.getMessage());
      }
    } catch (RuntimeException | StackOverflowError thrown) {
      answer.put("thrown", thrown.getClass().getSimpleName()).put("message", thrown.getMessage());
    }
    return answer;
  }

  private static String describe(Throwable fault) {
    return fault.getClass().getSimpleName() + ": " + fault.getMessage();
  }

  private record Parsed(Schema schema, Throwable fault) {
    /** A parser of its own: one that is reused knows the types it has seen. */
    static Parsed of(JsonNode schema) {
      try {
        return new Parsed(new Schema.Parser().parse(schema.toString()), null);
      } catch (RuntimeException | StackOverflowError fault) {
        return new Parsed(null, fault);
      }
    }
  }
}
