// The test's side: what stands in the place of the method that is asked for asks the program.
package tabwright;

import java.io.IOException;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.util.Map;

public final class Ask {
    private static final StackWalker STACK = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private static Frames frames;
    private static int created;
    private static boolean over;

    /** The program is at its end: the test has nothing more to say. */
    private static final class Over extends Error {
        Over() {
            super("the program is at its end", null, false, false);
        }
    }

    /** What the program raised, where it is no exception of the run time's own. */
    private static final class Raised extends RuntimeException {
        Raised(String text) {
            super(text, null, false, false);
        }

        @Override
        public String toString() {
            return getMessage();
        }
    }

    /** Run one test after the other: each has a class loader of its own, and so its own static state. */
    static void run(Frames connection) throws IOException {
        frames = connection;
        frames.send(new byte[0]);
        while (true) {
            byte[] order = frames.receive();
            created = 0;
            over = false;
            String verdict = verdict(order);
            System.out.flush();
            frames.send(verdict.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
    }

    private static String verdict(byte[] order) {
        try {
            Map<String, byte[]> files = Frames.files(new Plain.Reader(order));
            ClassLoader loader = new Loader(files, Ask.class.getClassLoader());
            loader.setDefaultAssertionStatus(true);
            java.lang.reflect.Method main = Class.forName("Main", true, loader).getDeclaredMethod("main", String[].class);
            main.setAccessible(true);
            main.invoke(null, (Object) new String[0]);
            return over ? "Fthe program is at its end" : "P";
        } catch (InvocationTargetException failed) {
            return "F" + reason(failed.getCause());
        } catch (Throwable error) {
            return "F" + reason(error);
        }
    }

    private static String reason(Throwable error) {
        if (error instanceof AssertionError) return error.getMessage() == null ? "" : error.getMessage();
        return error instanceof Raised || error instanceof Plain.Broken ? error.getMessage() : error.toString();
    }

    /** Called where a test makes an object of the class that is asked for. */
    public static void created() {
        created++;
    }

    /** Ask the program what its method returns that has the caller's name; its arguments are changed as it changed them. */
    @SuppressWarnings("unchecked")
    public static synchronized <T> T ask(Object... arguments) {
        StackWalker.StackFrame caller = STACK.walk(frames -> frames.skip(1).findFirst().get());
        MethodType type = caller.getMethodType();
        Plain.Writer call = new Plain.Writer().letter('C').count(created).text(caller.getClassName());
        call.text(caller.getMethodName()).text(Frames.descriptor(type.returnType(), type.parameterArray()));
        for (Object argument : arguments) call.value(argument);
        Plain.Reader reply = new Plain.Reader(exchange(call.bytes()));
        if (reply.letter() != 'R') throw Ask.<RuntimeException>raised((String) reply.value(), (String) reply.value());
        T result = (T) reply.value();
        if ((boolean) reply.value()) {
            for (Object argument : arguments) Plain.change(argument, reply.value());
        }
        return result;
    }

    private static byte[] exchange(byte[] call) {
        if (over) throw new Over();
        byte[] reply = {};
        try {
            frames.send(call);
            reply = frames.receive();
        } catch (IOException gone) {
            Runtime.getRuntime().halt(3);
        }
        over = reply.length == 0;
        if (over) throw new Over();
        return reply;
    }

    /** Throw what the program threw where it is one of the run time's own, so that a test can expect it. */
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> E raised(String name, String message) throws E {
        Throwable made = null;
        try {
            Class<?> type = name.startsWith("java.") ? Class.forName(name, false, null) : Raised.class;
            if (Exception.class.isAssignableFrom(type) || VirtualMachineError.class.isAssignableFrom(type)) {
                made = (Throwable) type.getConstructor(String.class).newInstance(message);
            }
        } catch (ReflectiveOperationException | LinkageError unknown) {
            made = null;
        }
        throw (E) (made != null ? made : new Raised(message.equals("null") ? name : name + ": " + message));
    }

    private Ask() {}
}
