import java.io.*;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main methods of Kafka's tools one after another, so that a machine starts once for all.
 *
 * A line of the standard input is a call, its words between tabs: the file for the output, the file
 * to read as standard input or "-", the class, its arguments. For each call a line with its exit
 * status is written.
 */
public class Tools {
  private static final String[] PLACES = {
    "", "org.apache.kafka.tools.", "org.apache.kafka.tools.consumer.",
    "org.apache.kafka.tools.consumer.group.", "org.apache.kafka.tools.reassign.", "kafka.admin.",
    "kafka.tools."
  };

  /** Ends a call as the end of the machine would. */
  private static final class Exited extends Error {
    Exited() {
      super(null, null, false, false);
    }
  }

  private static Integer status;
  private static final List<Runnable> hooks = new ArrayList<>();

  /** Some tools catch what is thrown and exit once more: the first one counts. */
  private static void exit(int with) {
    if (status == null) status = with;
    throw new Exited();
  }

  /** What is written goes to the call under way: some tools keep the first stream they see. */
  private static final class Switch extends OutputStream {
    volatile OutputStream to = OutputStream.nullOutputStream();

    @Override
    public void write(int one) throws IOException {
      to.write(one);
    }

    @Override
    public void write(byte[] bytes, int at, int length) throws IOException {
      to.write(bytes, at, length);
    }

    @Override
    public void flush() throws IOException {
      to.flush();
    }
  }

  private static Class<?> find(String name) throws ClassNotFoundException {
    for (String place : PLACES) {
      try {
        return Class.forName(place + name);
      } catch (ClassNotFoundException ignored) {
        continue;
      }
    }
    throw new ClassNotFoundException("none of Kafka's tools is called " + name);
  }

  private static int call(String name, String[] arguments) {
    status = null;
    try {
      find(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
    } catch (InvocationTargetException thrown) {
      if (!(thrown.getCause() instanceof Exited)) {
        thrown.getCause().printStackTrace();
        status = 1;
      }
    } catch (ReflectiveOperationException thrown) {
      thrown.printStackTrace();
      status = 1;
    }
    hooks.forEach(Runnable::run);
    hooks.clear();
    return status == null ? 0 : status;
  }

  public static void main(String[] unused) throws IOException {
    PrintStream replies = System.out;
    BufferedReader calls =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    Switch output = new Switch();
    System.setOut(new PrintStream(output, true));
    System.setErr(System.out);
    Exit.setExitProcedure((with, text) -> exit(with));
    Exit.setHaltProcedure((with, text) -> exit(with));
    Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
    for (String line = calls.readLine(); line != null; line = calls.readLine()) {
      String[] words = line.split("\t", -1);
      try (OutputStream to = new FileOutputStream(words[0])) {
        System.setIn(words[1].equals("-") ? InputStream.nullInputStream()
                                          : new FileInputStream(words[1]));
        output.to = to;
        int ended = call(words[2], Arrays.copyOfRange(words, 3, words.length));
        System.out.flush();
        output.to = OutputStream.nullOutputStream();
        replies.println(ended);
        replies.flush();
      }
    }
    Runtime.getRuntime().halt(0);
  }
}
