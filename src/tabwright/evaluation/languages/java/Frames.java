// The connection: messages on descriptor 0, each a length (four bytes, big-endian) and as many bytes.
package tabwright;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

final class Frames {
    private final DataInputStream in;
    private final OutputStream out;

    /** The run time opens no descriptor by its number, so the connection is where standard input would be. */
    Frames() {
        this(new BufferedInputStream(new FileInputStream(FileDescriptor.in)), new FileOutputStream(FileDescriptor.in));
        System.setIn(InputStream.nullInputStream());
    }

    Frames(InputStream in, OutputStream out) {
        this.in = new DataInputStream(in);
        this.out = out;
    }

    void send(byte[] message) throws IOException {
        out.write(ByteBuffer.allocate(4 + message.length).putInt(message.length).put(message).array());
    }

    byte[] receive() throws IOException {
        byte[] message = new byte[in.readInt()];
        in.readFully(message);
        return message;
    }

    /** How the run time writes the type of a method. */
    static String descriptor(Class<?> result, Class<?>[] parameters) {
        StringBuilder text = new StringBuilder("(");
        for (Class<?> parameter : parameters) text.append(parameter.descriptorString());
        return text.append(')').append(result.descriptorString()).toString();
    }

    /** The files of a message: for each its name and its content. */
    static Map<String, byte[]> files(Plain.Reader in) {
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (int left = in.count(8); left > 0; left--) {
            String name = new String(in.bytes(), StandardCharsets.UTF_8);
            files.put(name, in.bytes());
        }
        return files;
    }
}
