import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Flow in each of 24 hours, as Kafka Streams does it: blocks of topic `reads`, a state for each meter in RocksDB with its
 * changelog, an anomaly for each run that opens or ends. The rule is that of `any-flow-24h`: holes of up to four hours are
 * passed over, of up to seven days once it is open.
 *
 * Arguments: brokers, folder of the state, name of the application, reads to take, topic for anomalies. When all reads are
 * taken and committed, it prints: reads, runs that opened.
 */
public class AnyFlow24h {
  static final long HOUR = 3600, DAY = 86_400;
  static final AtomicLong READS = new AtomicLong(), OPENED = new AtomicLong();
  static final CountDownLatch ALL = new CountDownLatch(1);

  static class Rule implements Processor<String, byte[], String, byte[]> {
    final JsonFactory json = new JsonFactory();
    final long wanted;
    ProcessorContext<String, byte[]> context;
    KeyValueStore<String, byte[]> states;
    long[] times = new long[2048], volumes = new long[2048], lengths = new long[2048];
    boolean[] known = new boolean[2048];

    Rule(long wanted) {
      this.wanted = wanted;
    }

    @Override
    public void init(ProcessorContext<String, byte[]> context) {
      this.context = context;
      states = context.getStateStore("states");
    }

    @Override
    public void process(Record<String, byte[]> record) {
      int count;
      try {
        count = parse(record.value());
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
      long start = -1, end = 0, seconds = 0, volume = 0, detected = -1;
      byte[] state = states.get(record.key());
      if (state != null) {
        ByteBuffer from = ByteBuffer.wrap(state);
        start = from.getLong();
        end = from.getLong();
        seconds = from.getLong();
        volume = from.getLong();
        detected = from.getLong();
      }
      int taken = 0;
      for (int i = 0; i < count; i++) {
        if (!known[i]) continue;
        taken++;
        long at = times[i], until = at + lengths[i], ml = volumes[i];
        if (ml <= 0) {
          if (detected >= 0) tell(record, "closed", start, end, detected, volume);
          start = -1;
          seconds = volume = 0;
          detected = -1;
          continue;
        }
        if (start >= 0 && at - end > (detected >= 0 ? 7 * DAY : 4 * HOUR)) {
          if (detected >= 0) tell(record, "closed", start, end, detected, volume);
          start = -1;
          seconds = volume = 0;
          detected = -1;
        }
        if (start < 0) start = at;
        end = until;
        seconds += lengths[i];
        volume += ml;
        if (detected < 0 && seconds >= 24 * HOUR) {
          detected = until;
          OPENED.incrementAndGet();
          tell(record, "opened", start, end, detected, volume);
        }
      }
      ByteBuffer to = ByteBuffer.allocate(40);
      to.putLong(start).putLong(end).putLong(seconds).putLong(volume).putLong(detected);
      states.put(record.key(), to.array());
      if (READS.addAndGet(taken) == wanted) ALL.countDown();
    }

    void tell(Record<String, byte[]> record, String state, long start, long end, long detected, long volume) {
      String text = "{\"state\":\"" + state + "\",\"start\":" + start + ",\"end\":" + end + ",\"detectedAt\":" + detected
        + ",\"volume\":" + volume + "}";
      context.forward(record.withValue(text.getBytes()));
    }

    /** The block's reads into the arrays; those without a value are not known. */
    int parse(byte[] bytes) throws IOException {
      int count = 0;
      long from = 0, step = 0, length = 0;
      boolean listed = false;
      try (JsonParser parser = json.createParser(bytes)) {
        parser.nextToken();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          JsonToken token = parser.nextToken();
          switch (name) {
            case "count" -> {
              count = parser.getIntValue();
              if (count > times.length) {
                times = new long[count];
                volumes = new long[count];
                lengths = new long[count];
                known = new boolean[count];
              }
            }
            case "time" -> {
              if (token == JsonToken.START_ARRAY) {
                listed = true;
                for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) times[i] = parser.getLongValue();
              } else {
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                  String part = parser.currentName();
                  parser.nextToken();
                  if (part.equals("from")) from = parser.getLongValue();
                  else step = parser.getLongValue();
                }
              }
            }
            case "length" -> {
              if (token == JsonToken.START_ARRAY)
                for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) lengths[i] = parser.getLongValue();
              else {
                length = parser.getLongValue();
                Arrays.fill(lengths, 0, count, length);
              }
            }
            case "ml" -> {
              for (int i = 0; (token = parser.nextToken()) != JsonToken.END_ARRAY; i++) {
                known[i] = token != JsonToken.VALUE_NULL;
                if (known[i]) volumes[i] = parser.getLongValue();
              }
            }
            default -> parser.skipChildren();
          }
        }
      }
      if (!listed) for (int i = 0; i < count; i++) times[i] = from + step * i;
      return count;
    }
  }

  public static void main(String[] arguments) throws Exception {
    long wanted = Long.parseLong(arguments[3]);
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[1]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[2]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    settings.put("auto.offset.reset", "earliest");
    Topology topology = new Topology();
    topology
      .addSource("reads", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), "reads")
      .addProcessor("rule", () -> new Rule(wanted), "reads")
      .addStateStore(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("states"), Serdes.String(), Serdes.ByteArray())
          .withLoggingEnabled(Map.of())
          .withCachingEnabled(),
        "rule")
      .addSink("anomalies", arguments[4], Serdes.String().serializer(), Serdes.ByteArray().serializer(), "rule");
    KafkaStreams streams = new KafkaStreams(topology, settings);
    streams.start();
    ALL.await();
    // Flushes RocksDB, the changelog and the offsets.
    streams.close(Duration.ofMinutes(1));
    System.out.println(READS.get() + " " + OPENED.get());
  }
}
