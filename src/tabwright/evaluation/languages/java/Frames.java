// The connection: messages on descriptor 3, each a length (four bytes, big-endian) and as many bytes.
package tabwright;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

final class Frames {
    private static final int CONNECTION = 3;

    private final DataInputStream in;
    private final FileOutputStream out;

    /** Needs `Add-Opens: java.base/java.io`: the run time offers no other way to a descriptor that it was started with. */
    Frames() throws ReflectiveOperationException {
        Constructor<FileDescriptor> open = FileDescriptor.class.getDeclaredConstructor(int.class);
        open.setAccessible(true);
        FileDescriptor connection = open.newInstance(CONNECTION);
        in = new DataInputStream(new BufferedInputStream(new FileInputStream(connection)));
        out = new FileOutputStream(connection);
    }

    void send(byte[] message) throws IOException {
        out.write(ByteBuffer.allocate(4 + message.length).putInt(message.length).put(message).array());
    }

    byte[] receive() throws IOException {
        byte[] message = new byte[in.readInt()];
        in.readFully(message);
        return message;
    }

    /** The files of a message: for each its name and its content. */
    static Map<String, byte[]> files(Plain.Reader in) {
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (int left = in.count(8); left > 0; left--) {
            String name = new String(in.bytes(), java.nio.charset.StandardCharsets.UTF_8);
            files.put(name, in.bytes());
        }
        return files;
    }
}
