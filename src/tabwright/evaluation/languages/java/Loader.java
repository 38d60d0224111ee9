// Classes out of a message. What it loads sees the run time's own classes, and those of `parent`.
package tabwright;

import java.util.Map;

final class Loader extends ClassLoader {
    private final Map<String, byte[]> files;

    Loader(Map<String, byte[]> files, ClassLoader parent) {
        super(parent);
        this.files = files;
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        byte[] data = files.remove(name.replace('.', '/') + ".class");
        if (data == null) throw new ClassNotFoundException(name);
        return defineClass(name, data, 0, data.length);
    }
}
