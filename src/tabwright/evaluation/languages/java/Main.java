// The kit's one entry: what the process is for is its argument.
package tabwright;

import java.io.EOFException;

public final class Main {
    public static void main(String[] arguments) throws Exception {
        try {
            switch (arguments[0]) {
                case "serve": new Serve(new Frames()).run(); break;
                case "test": Ask.run(new Frames()); break;
                case "compile": new Compile().run(new Frames()); break;
                default: Train.run(arguments[1]);
            }
        } catch (EOFException over) {
            Runtime.getRuntime().halt(0);
        }
    }
}
