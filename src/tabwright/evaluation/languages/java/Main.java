// The kit's one entry: what the process is for is its argument.
package tabwright;

public final class Main {
    public static void main(String[] arguments) throws Exception {
        Frames frames = new Frames();
        switch (arguments[0]) {
            case "serve": new Serve(frames).run(); break;
            case "test": Ask.run(frames); break;
            default: new Compile().run(frames);
        }
    }
}
