// Does once what the kit's processes do, while the run time takes down which classes that needs.
package tabwright;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

final class Train {
    static void run(String file) throws Exception {
        byte[] made = new Compile().compile(Map.of("Solution.java", Files.readAllBytes(Path.of(file))));
        ByteBuffer messages = ByteBuffer.allocate(1 << 20);
        add(messages, Arrays.copyOfRange(made, 1, made.length));
        Plain.Writer call = new Plain.Writer().count(1).text("Solution").text("train");
        call.text("(Ljava/lang/String;Ljava/util/List;[D)Ljava/util/Map;");
        add(messages, call.value("Some words").value(List.of(1, 2, 3)).value(new double[] {0.5}).bytes());
        ByteArrayOutputStream replies = new ByteArrayOutputStream();
        try {
            new Serve(new Frames(new ByteArrayInputStream(messages.array(), 0, messages.position()), replies)).run();
        } catch (EOFException done) {
            if (replies.size() < 100) throw new IllegalStateException("the calls were not answered", done);
        }
        Object[] kinds = {new TreeSet<>(), new LinkedHashMap<>(), true, 'c', 1L, 1.5f, null, "x".repeat(2), new String[] {"a"}};
        Plain.change(new Plain.Reader(new Plain.Writer().value(kinds).bytes()).value(), kinds);
        new Frames();
    }

    private static void add(ByteBuffer messages, byte[] message) {
        messages.putInt(message.length).put(message);
    }

    private Train() {}
}
