// The program's side: its classes arrive in the first message, then calls of its methods.
package tabwright;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;

final class Serve {
    private final Frames frames;
    private ClassLoader loader;
    private Object object;
    private int created;

    Serve(Frames frames) {
        this.frames = frames;
    }

    void run() throws Exception {
        frames.send(new byte[0]);
        loader = new Loader(Frames.files(new Plain.Reader(frames.receive())), ClassLoader.getPlatformClassLoader());
        frames.send(new byte[] {'R'});
        while (true) {
            byte[] reply = reply(frames.receive());
            System.out.flush();
            frames.send(reply);
        }
    }

    private byte[] reply(byte[] call) {
        try {
            return call(new Plain.Reader(call));
        } catch (InvocationTargetException raised) {
            return failure(raised.getCause());
        } catch (Throwable error) {
            return failure(error);
        }
    }

    private byte[] call(Plain.Reader in) throws Throwable {
        int creation = in.number();
        Class<?> owner = Class.forName(in.text(), true, loader);
        Method method = method(owner, in.text(), in.text());
        Object[] arguments = new Object[method.getParameterCount()];
        for (int i = 0; i < arguments.length; i++) arguments[i] = in.value();
        byte[] before = arguments(arguments);
        Object result = method.invoke(Modifier.isStatic(method.getModifiers()) ? null : object(owner, creation), arguments);
        byte[] after = arguments(arguments);
        Plain.Writer out = new Plain.Writer().letter('R').value(result);
        boolean changed = !Arrays.equals(before, after);
        return changed ? out.value(true).raw(after).bytes() : out.value(false).bytes();
    }

    private static byte[] arguments(Object[] arguments) {
        Plain.Writer out = new Plain.Writer();
        for (Object argument : arguments) out.value(argument);
        return out.bytes();
    }

    /** The object whose method is called: a new one where the test has made a new one. */
    private Object object(Class<?> owner, int creation) throws Throwable {
        if (object == null || creation != created || object.getClass() != owner) {
            Constructor<?> constructor = owner.getDeclaredConstructor();
            constructor.setAccessible(true);
            object = constructor.newInstance();
            created = creation;
        }
        return object;
    }

    private static Method method(Class<?> owner, String name, String descriptor) throws NoSuchMethodException {
        for (Method method : owner.getDeclaredMethods()) {
            boolean same = method.getName().equals(name) && !method.isBridge();
            if (same && Frames.descriptor(method.getReturnType(), method.getParameterTypes()).equals(descriptor)) {
                method.setAccessible(true);
                return method;
            }
        }
        throw new NoSuchMethodException(owner.getName() + "." + name + descriptor);
    }

    private static byte[] failure(Throwable error) {
        if (error instanceof OutOfMemoryError) return "Mjava.lang.OutOfMemoryError".getBytes();
        String message;
        try {
            message = String.valueOf(error.getMessage());
        } catch (Throwable again) {
            message = "";
        }
        message = message.substring(0, Math.min(message.length(), 1000));
        return new Plain.Writer().letter('E').value(error.getClass().getName()).value(message).bytes();
    }
}
