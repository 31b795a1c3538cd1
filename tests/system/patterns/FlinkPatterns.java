import java.io.BufferedReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.flink.cep.CEP;
import org.apache.flink.cep.functions.PatternProcessFunction;
import org.apache.flink.cep.nfa.aftermatch.AfterMatchSkipStrategy;
import org.apache.flink.cep.pattern.Pattern;
import org.apache.flink.cep.pattern.WithinType;
import org.apache.flink.cep.pattern.conditions.SimpleCondition;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.source.SourceFunction;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.util.Collector;

/**
 * The cases of cases.py, each as a pattern of Flink CEP; one job for all of them.
 *
 * <p>Reads a file of cases and writes a line for each match: case, customer, time, numbers of the events. The cases
 * come one after the other in time, so that one watermark serves them all; the watermark of a case is the greatest time
 * of its events less its lateness and 1 ms (Flink calls an event late that is as old as the watermark, ringfold one
 * that is older).
 *
 * <p>Flink looks at the end of a silence only when something happens to that customer. Therefore a tick, an event that
 * no step is about, stands at every instant at which a silence could end.
 */
public final class FlinkPatterns {
    /** Between two cases; longer than any of them. */
    private static final long CASE_MS = 1_000_000_000L;

    public static final class Event {
        public int index; // of the case
        public String customer;
        public long time; // within the case
        public String kind;
        public int level;
        public int number;

        public Event() {}
    }

    static final class Case {
        int index;
        String name;
        long lateness;
        long within;
        boolean skips;
        List<String[]> steps = new ArrayList<>();
        List<Event> events = new ArrayList<>();
    }

    /** What a step is about. */
    static final class Matches extends SimpleCondition<Event> {
        private final String kind;
        private final int level;

        Matches(String kind, int level) {
            this.kind = kind;
            this.level = level;
        }

        @Override
        public boolean filter(Event event) {
            return event.kind.equals(kind) && (level < 0 || event.level == level);
        }
    }

    private static List<Case> read(Path path) throws Exception {
        List<Case> cases = new ArrayList<>();
        try (BufferedReader lines = Files.newBufferedReader(path)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ");
                Case last = cases.isEmpty() ? null : cases.get(cases.size() - 1);
                switch (words[0]) {
                    case "case":
                        Case one = new Case();
                        one.index = cases.size();
                        one.name = words[1];
                        one.lateness = Long.parseLong(words[2]);
                        one.within = Long.parseLong(words[3]);
                        one.skips = words[4].equals("past_last");
                        cases.add(one);
                        break;
                    case "take":
                    case "not":
                        last.steps.add(words);
                        break;
                    case "event":
                        Event event = new Event();
                        event.index = last.index;
                        event.customer = words[1];
                        event.time = Long.parseLong(words[2]);
                        event.kind = words[3];
                        event.level = Integer.parseInt(words[4]);
                        event.number = Integer.parseInt(words[5]);
                        last.events.add(event);
                        break;
                    default:
                        throw new IllegalArgumentException(line);
                }
            }
        }
        return cases;
    }

    /** take KIND LEVEL TIMES WITHIN, not KIND LEVEL FOR; 0 is none. */
    private static Pattern<Event, ?> pattern(Case one) {
        AfterMatchSkipStrategy skip =
                one.skips ? AfterMatchSkipStrategy.skipPastLastEvent() : AfterMatchSkipStrategy.noSkip();
        Pattern<Event, Event> pattern = null;
        for (int i = 0; i < one.steps.size(); i++) {
            String[] step = one.steps.get(i);
            Matches matches = new Matches(step[1], Integer.parseInt(step[2]));
            boolean negated = step[0].equals("not");
            if (negated && one.steps.get(i - 1)[0].equals("not")) {
                pattern = pattern.or(matches); // Flink looks at one of several in a row
                continue;
            }
            if (pattern == null) {
                pattern = Pattern.<Event>begin("s" + i, skip);
            } else {
                pattern = negated ? pattern.notFollowedBy("s" + i) : pattern.followedBy("s" + i);
            }
            pattern = pattern.where(matches);
            if (!negated && Integer.parseInt(step[3]) > 1) {
                pattern = pattern.times(Integer.parseInt(step[3]));
            }
            long within = negated ? silence(one) : Long.parseLong(step[4]);
            if (within > 0 && (!negated || endsWith(one, i))) {
                pattern = pattern.within(Duration.ofMillis(within), WithinType.PREVIOUS_AND_CURRENT);
            }
        }
        return one.within > 0 ? pattern.within(Duration.ofMillis(one.within)) : pattern;
    }

    /** Of the `not`s at the end; 0: there is none, or the pattern's `within` ends it. */
    private static long silence(Case one) {
        String[] last = one.steps.get(one.steps.size() - 1);
        return last[0].equals("not") ? Long.parseLong(last[3]) : 0;
    }

    /** Whether from this step on there are only `not`s. */
    private static boolean endsWith(Case one, int step) {
        return one.steps.subList(step, one.steps.size()).stream().allMatch(words -> words[0].equals("not"));
    }

    /** All events in the order of their arrival, with the ticks that they make necessary. */
    static final class Source implements SourceFunction<Event> {
        private final String path;
        private volatile boolean running = true;

        Source(String path) {
            this.path = path;
        }

        @Override
        public void run(SourceContext<Event> context) throws Exception {
            for (Case one : read(Path.of(path))) {
                long start = (one.index + 1) * CASE_MS;
                long greatest = Long.MIN_VALUE;
                TreeSet<Long> silences = new TreeSet<>();
                silences.add(one.within);
                for (String[] step : one.steps) {
                    silences.add(step[0].equals("not") ? Long.parseLong(step[3]) : 0L);
                }
                silences.remove(0L);
                for (Event event : one.events) {
                    if (!running) {
                        return;
                    }
                    context.collectWithTimestamp(event, start + event.time);
                    for (long silence : silences) {
                        Event tick = new Event();
                        tick.index = one.index;
                        tick.customer = event.customer;
                        tick.time = event.time + silence;
                        tick.kind = "tick";
                        context.collectWithTimestamp(tick, start + tick.time);
                    }
                    greatest = Math.max(greatest, event.time);
                    context.emitWatermark(new Watermark(start + greatest - one.lateness - 1));
                }
            }
        }

        @Override
        public void cancel() {
            running = false;
        }
    }

    /** Of one case. */
    static final class OfCase implements org.apache.flink.api.common.functions.FilterFunction<Event> {
        private final int index;

        OfCase(int index) {
            this.index = index;
        }

        @Override
        public boolean filter(Event event) {
            return event.index == index;
        }
    }

    static final class Report extends PatternProcessFunction<Event, String> {
        private final int index;
        private final String name;

        Report(Case one) {
            index = one.index;
            name = one.name;
        }

        @Override
        public void processMatch(Map<String, List<Event>> match, Context context, Collector<String> out) {
            String numbers =
                    match.entrySet().stream()
                            .sorted((a, b) -> Integer.compare(step(a.getKey()), step(b.getKey())))
                            .flatMap(entry -> entry.getValue().stream())
                            .map(event -> String.valueOf(event.number))
                            .collect(Collectors.joining(","));
            String customer = match.get("s0").get(0).customer;
            long time = context.timestamp() - (index + 1) * CASE_MS;
            out.collect(name + " " + customer + " " + time + " " + numbers);
        }

        private static int step(String name) {
            return Integer.parseInt(name.substring(1));
        }
    }

    public static void main(String[] arguments) throws Exception {
        String cases = arguments[0];
        Configuration configuration = new Configuration();
        configuration.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(128));
        configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(128));
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(1, configuration);
        DataStream<Event> events = environment.addSource(new Source(cases));
        DataStream<String> matches = null;
        for (Case one : read(Path.of(cases))) {
            DataStream<String> found =
                    CEP.pattern(
                                    events.filter(new OfCase(one.index)).keyBy(event -> event.customer),
                                    pattern(one))
                            .inEventTime()
                            .process(new Report(one));
            matches = matches == null ? found : matches.union(found);
        }
        List<String> lines = new ArrayList<>();
        try (var collected = matches.executeAndCollect()) {
            collected.forEachRemaining(lines::add);
        }
        String[] sorted = lines.toArray(new String[0]);
        Arrays.sort(sorted);
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(arguments[1]), StandardCharsets.UTF_8))) {
            Arrays.stream(sorted).forEach(out::println);
        }
    }
}
