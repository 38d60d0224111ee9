// A compiler that stays: sources in, classes or a report out. It sees no file but the run time's and the kit's own.
package tabwright;

import com.sun.tools.javac.api.JavacTaskPool;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticListener;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;

final class Compile {
    // No annotation processors: they would be programs that run here.
    private static final List<String> OPTIONS = List.of("-proc:none", "-implicit:none", "-nowarn", "-Xlint:none", "-g:none", "-XDstringConcat=inline");

    private static final int LONGEST_REPORT = 4000;

    private final Memory memory = new Memory();
    private JavacTaskPool pool = new JavacTaskPool(1);

    void run(Frames frames) throws IOException {
        frames.send(new byte[0]);
        while (true) {
            frames.send(compile(Frames.files(new Plain.Reader(frames.receive()))));
        }
    }

    byte[] compile(Map<String, byte[]> sources) {
        StringBuilder report = new StringBuilder();
        List<JavaFileObject> units = new ArrayList<>();
        sources.forEach((name, content) -> units.add(new Source(name, new String(content, StandardCharsets.UTF_8))));
        memory.made.clear();
        boolean good;
        try {
            DiagnosticListener<JavaFileObject> listener = said -> tell(report, said);
            good = pool.getTask(Writer.nullWriter(), memory, listener, OPTIONS, null, units, task -> task.call());
        } catch (StackOverflowError | RuntimeException error) {
            good = false;
            report.append("error: the compiler gave up: ").append(error);
        }
        if (!good || !expected()) renew();
        if (!good && report.length() == 0) report.append("error: the compiler gave up");
        if (!good) return ("X" + report).getBytes(StandardCharsets.UTF_8);
        Plain.Writer out = new Plain.Writer().letter('R').count(memory.made.size());
        memory.made.forEach((name, data) -> out.bytes(name.getBytes(StandardCharsets.UTF_8)).bytes(data.toByteArray()));
        return out.bytes();
    }

    private static void tell(StringBuilder report, Diagnostic<?> said) {
        boolean full = report.length() > LONGEST_REPORT;
        if (said.getKind() == Diagnostic.Kind.ERROR && !full) report.append(said).append('\n');
    }

    /** Whether all that was made are classes that every source here defines: then what is known of the run time's is kept. */
    private boolean expected() {
        return memory.made.keySet().stream().allMatch(name -> name.matches("(Solution|Main)(\\$.*)?\\.class"));
    }

    private void renew() {
        pool = new JavacTaskPool(1);
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String name;
        private final String text;

        Source(String name, String text) {
            super(URI.create("string:///" + name), Kind.SOURCE);
            this.name = name;
            this.text = text;
        }

        @Override
        public String getName() {
            return name;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreErrors) {
            return text;
        }

        @Override
        public boolean isNameCompatible(String name, Kind kind) {
            return kind == Kind.SOURCE;  // a public class may have any name
        }
    }

    private static final class Memory extends ForwardingJavaFileManager<StandardJavaFileManager> {
        final Map<String, ByteArrayOutputStream> made = new LinkedHashMap<>();

        Memory() {
            super(ToolProvider.getSystemJavaCompiler().getStandardFileManager(null, null, StandardCharsets.UTF_8));
            try {
                fileManager.setLocation(StandardLocation.CLASS_PATH, List.of(new File(System.getProperty("java.class.path"))));
                fileManager.setLocation(StandardLocation.SOURCE_PATH, List.of());
            } catch (IOException unusable) {
                throw new IllegalStateException(unusable);
            }
        }

        @Override
        public JavaFileObject getJavaFileForOutput(Location place, String name, JavaFileObject.Kind kind, FileObject near) {
            String path = name.replace('.', '/') + ".class";
            return new SimpleJavaFileObject(URI.create("string:///" + path.replace('$', '_')), kind) {
                @Override
                public OutputStream openOutputStream() {
                    ByteArrayOutputStream data = new ByteArrayOutputStream();
                    made.put(path, data);
                    return data;
                }
            };
        }
    }
}
