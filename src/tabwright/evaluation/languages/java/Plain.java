// Plain data <-> bytes: a letter for the kind, then the value, big-endian. Reading trusts no count, length or depth.
package tabwright;

import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.AbstractMap;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.ListIterator;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.Stack;
import java.util.TreeMap;
import java.util.TreeSet;

final class Plain {
    private static final int DEEPEST = 100;
    private static final int LONGEST_NUMBER = 1 << 16;
    private static final int LARGEST_SCALE = 10_000;
    private static final String FIXED_LIST = Arrays.asList().getClass().getName();

    /** Bytes that are no value, or a value that is no plain data. */
    static final class Broken extends RuntimeException {
        Broken(String message) {
            super(message, null, false, false);
        }
    }

    // ---- writing ----

    static final class Writer {
        private ByteBuffer out = ByteBuffer.allocate(256);
        private int depth;

        private ByteBuffer room(int size) {
            if (out.remaining() < size) {
                ByteBuffer larger = ByteBuffer.allocate(Math.max(2 * out.capacity(), out.position() + size));
                out = larger.put(out.flip());
            }
            return out;
        }

        byte[] bytes() {
            return Arrays.copyOf(out.array(), out.position());
        }

        Writer letter(char letter) {
            room(1).put((byte) letter);
            return this;
        }

        Writer count(int count) {
            room(4).putInt(count);
            return this;
        }

        Writer bytes(byte[] data) {
            return count(data.length).raw(data);
        }

        Writer raw(byte[] data) {
            room(data.length).put(data);
            return this;
        }

        /** Its UTF-16 code units: a string may hold halves of pairs. */
        Writer text(String text) {
            count(text.length()).room(2 * text.length());
            for (int i = 0; i < text.length(); i++) out.putChar(text.charAt(i));
            return this;
        }

        Writer value(Object value) {
            if (++depth > DEEPEST) throw new Broken("a value that is nested too deeply");
            if (value == null) letter('-');
            else if (!simple(value) && !number(value) && !container(value)) {
                throw new Broken("a value of " + value.getClass().getName() + ", which is no plain data");
            }
            depth--;
            return this;
        }

        private boolean simple(Object value) {
            if (value instanceof String) letter(interned((String) value) ? 'N' : 'S').text((String) value);
            else if (value instanceof Boolean) letter((Boolean) value ? 'T' : 'F');
            else if (value instanceof Character) letter('c').room(2).putChar((Character) value);
            else if (value instanceof Optional) {
                letter(((Optional<?>) value).isPresent() ? 'O' : 'o');
                if (((Optional<?>) value).isPresent()) value(((Optional<?>) value).get());
            } else if (value instanceof Map.Entry) {
                letter('E').value(((Map.Entry<?, ?>) value).getKey()).value(((Map.Entry<?, ?>) value).getValue());
            } else return false;
            return true;
        }

        private boolean number(Object value) {
            if (value instanceof Integer) letter('i').room(4).putInt((Integer) value);
            else if (value instanceof Double) letter('d').room(8).putDouble((Double) value);
            else if (value instanceof Long) letter('l').room(8).putLong((Long) value);
            else if (value instanceof Float) letter('f').room(4).putFloat((Float) value);
            else if (value instanceof Short) letter('s').room(2).putShort((Short) value);
            else if (value instanceof Byte) letter('b').room(1).put((Byte) value);
            else if (value.getClass() == BigInteger.class) letter('I').bytes(((BigInteger) value).toByteArray());
            else if (value.getClass() == BigDecimal.class) {
                letter('D').bytes(((BigDecimal) value).unscaledValue().toByteArray()).count(((BigDecimal) value).scale());
            } else return false;
            return true;
        }

        private boolean container(Object value) {
            if (value.getClass().isArray()) array(value);
            else if (value instanceof Map) map((Map<?, ?>) value);
            else if (value instanceof List || value instanceof Set || value instanceof Queue) {
                Object[] items = ((Collection<?>) value).toArray();
                letter(kind((Collection<?>) value)).count(items.length);
                for (Object item : items) value(item);
            } else return false;
            return true;
        }

        private void array(Object array) {
            int length = Array.getLength(array);
            letter('[').text(array.getClass().getName()).count(length);
            for (int i = 0; i < length; i++) value(Array.get(array, i));
        }

        private void map(Map<?, ?> map) {
            letter(map instanceof SortedMap && ((SortedMap<?, ?>) map).comparator() == null ? 'M' : fixed(map) ? 'n' : 'm');
            Object[] entries = map.entrySet().toArray();
            count(entries.length);
            for (Object entry : entries) value(((Map.Entry<?, ?>) entry).getKey()).value(((Map.Entry<?, ?>) entry).getValue());
        }
    }

    /** Whether it is the string that a literal would be: tests and programs compare such with `==`, and are right. */
    private static boolean interned(String text) {
        return new String(text.toCharArray()).intern() == text;
    }

    private static char kind(Collection<?> value) {
        if (value instanceof Set) {
            boolean sorted = value instanceof SortedSet && ((SortedSet<?>) value).comparator() == null;
            return sorted ? 'G' : fixed(value) ? 'h' : 'H';
        }
        if (value instanceof Stack) return 'K';
        if (value instanceof LinkedList) return 'L';
        if (value instanceof PriorityQueue && ((PriorityQueue<?>) value).comparator() == null) return 'P';
        if (!(value instanceof List)) return 'Q';
        return value.getClass().getName().equals(FIXED_LIST) ? 'a' : fixed(value) ? 'u' : 'A';
    }

    /** Whether it is one of the run time's own that cannot be changed. */
    private static boolean fixed(Object value) {
        String name = value.getClass().getName();
        return name.startsWith("java.util.ImmutableCollections$") || name.startsWith("java.util.Collections$Unmodifiable")
                || name.startsWith("java.util.Collections$Empty") || name.startsWith("java.util.Collections$Singleton");
    }

    // ---- reading ----

    static final class Reader {
        private final ByteBuffer in;
        private int depth;

        Reader(byte[] data) {
            in = ByteBuffer.wrap(data);
        }

        char letter() {
            return (char) in.get();
        }

        /** A count of things that take at least so many bytes each. */
        int count(int size) {
            int count = in.getInt();
            if (count < 0 || count > in.remaining() / size) throw new Broken("a value that is longer than its bytes");
            return count;
        }

        int number() {
            return in.getInt();
        }

        byte[] bytes() {
            byte[] data = new byte[count(1)];
            in.get(data);
            return data;
        }

        String text() {
            char[] text = new char[count(2)];
            for (int i = 0; i < text.length; i++) text[i] = in.getChar();
            return new String(text);
        }

        /** A value; whatever the bytes are, the only exception is `Broken`. */
        Object value() {
            try {
                return any();
            } catch (Broken broken) {
                throw broken;
            } catch (BufferUnderflowException early) {
                throw new Broken("a value that ends too early");
            } catch (RuntimeException wrong) {
                throw new Broken("a value that cannot be: " + wrong);
            }
        }

        private Object any() {
            if (++depth > DEEPEST) throw new Broken("a value that is nested too deeply");
            char letter = letter();
            Object value = letter == '[' ? array() : letter == 'm' || letter == 'n' || letter == 'M' ? map(letter) : single(letter);
            depth--;
            return value;
        }

        private Object single(char letter) {
            switch (letter) {
                case '-': return null;
                case 'T': return true;
                case 'F': return false;
                case 'S': return text();
                case 'N': return text().intern();
                case 'c': return in.getChar();
                case 'b': return in.get();
                case 's': return in.getShort();
                case 'i': return in.getInt();
                case 'l': return in.getLong();
                case 'f': return in.getFloat();
                case 'd': return in.getDouble();
                case 'I': return whole();
                case 'D': return decimal();
                case 'o': return Optional.empty();
                case 'O': return Optional.of(any());
                case 'E': return new AbstractMap.SimpleEntry<>(any(), any());
                default: return collection(letter);
            }
        }

        private BigInteger whole() {
            byte[] data = bytes();
            if (data.length > LONGEST_NUMBER) throw new Broken("a number of " + data.length + " bytes");
            return new BigInteger(data);
        }

        private BigDecimal decimal() {
            BigInteger unscaled = whole();
            int scale = in.getInt();
            if (scale > LARGEST_SCALE || scale < -LARGEST_SCALE) throw new Broken("a number of the scale " + scale);
            return new BigDecimal(unscaled, scale);
        }

        private Object collection(char letter) {
            Collection<Object> items = empty(letter);
            for (int left = count(1); left > 0; left--) items.add(any());
            switch (letter) {
                case 'a': return Arrays.asList(items.toArray());
                case 'u': return Collections.unmodifiableList((List<Object>) items);
                case 'h': return Collections.unmodifiableSet((Set<Object>) items);
                default: return items;
            }
        }

        private static Collection<Object> empty(char letter) {
            switch (letter) {
                case 'A': case 'a': case 'u': return new ArrayList<>();
                case 'L': return new LinkedList<>();
                case 'K': return new Stack<>();
                case 'Q': return new ArrayDeque<>();
                case 'P': return new PriorityQueue<>();
                case 'G': return new TreeSet<>();
                case 'H': case 'h': return new LinkedHashSet<>();
                default: throw new Broken("a value of an unknown kind");
            }
        }

        private Object map(char letter) {
            Map<Object, Object> map = letter == 'M' ? new TreeMap<>() : new LinkedHashMap<>();
            for (int left = count(2); left > 0; left--) {
                Object key = any();
                map.put(key, any());
            }
            return letter == 'n' ? Collections.unmodifiableMap(map) : map;
        }

        private Object array() {
            Class<?> type = type(text());
            int length = count(1);
            Object array = Array.newInstance(type.getComponentType(), length);
            for (int i = 0; i < length; i++) Array.set(array, i, any());
            return array;
        }

        /** The class of an array of the run time's own: nothing else is looked for by name. */
        private static Class<?> type(String name) {
            if (!name.matches("\\[{1,8}([ZBCSIJFD]|Ljava\\.(lang|util|math)\\.\\w+;)")) throw new Broken("an array of an unknown kind");
            try {
                return Class.forName(name, false, null);
            } catch (ClassNotFoundException unknown) {
                throw new Broken("an array of an unknown kind");
            }
        }
    }

    // ---- changes in place ----

    /** Make `here` hold what `there` holds, so that every name for it sees the change; return what is to be kept. */
    @SuppressWarnings("unchecked")
    static Object change(Object here, Object there) {
        if (here == null || there == null) return there;
        if (here.equals(there)) return here;
        if (here.getClass().isArray() && here.getClass() == there.getClass() && Array.getLength(here) == Array.getLength(there)) {
            for (int i = 0; i < Array.getLength(here); i++) Array.set(here, i, change(Array.get(here, i), Array.get(there, i)));
        } else if (here instanceof List && there instanceof List && ((List<?>) here).size() == ((List<?>) there).size()) {
            Iterator<?> items = ((List<?>) there).iterator();
            for (ListIterator<Object> at = ((List<Object>) here).listIterator(); at.hasNext(); ) {
                Object item = at.next();
                Object kept = change(item, items.next());
                if (kept != item) at.set(kept);
            }
        } else if (here instanceof Map && there instanceof Map) {
            Map<Object, Object> kept = new LinkedHashMap<>();
            ((Map<?, ?>) there).forEach((key, value) -> kept.put(key, change(((Map<?, ?>) here).get(key), value)));
            ((Map<?, ?>) here).clear();
            ((Map<Object, Object>) here).putAll(kept);
        } else if (here instanceof Collection && there instanceof Collection) {
            ((Collection<?>) here).clear();
            ((Collection<Object>) here).addAll((Collection<?>) there);
        } else {
            return there;
        }
        return here;
    }

    private Plain() {}
}
