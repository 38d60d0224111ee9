// A program as samples are. It is compiled and run once when the kit is made, so that what such programs use is at hand.
import java.math.BigInteger;
import java.util.*;
import java.util.stream.*;

class Solution {
    public Map<String, List<Integer>> train(String text, List<Integer> numbers, double[] weights) {
        Map<String, List<Integer>> found = new TreeMap<>();
        for (String word : text.split("\\s+")) {
            found.computeIfAbsent(word.toLowerCase(), key -> new ArrayList<>()).add(word.length());
        }
        List<Integer> sorted = numbers.stream().filter(n -> n % 2 == 0).map(n -> n * n).sorted().collect(Collectors.toList());
        Collections.sort(sorted, Comparator.reverseOrder());
        found.put(String.format("%.2f %d %s", weights[0], sorted.size(), text.chars().sum()), sorted);
        String joined = IntStream.range(0, 5).mapToObj(String::valueOf).collect(Collectors.joining(", "));
        StringBuilder backwards = new StringBuilder(joined).reverse();
        Set<Character> letters = new HashSet<>();
        for (char letter : text.toCharArray()) letters.add(letter);
        Deque<Integer> stack = new ArrayDeque<>(sorted);
        Object[] rest = {letters, stack, Optional.of(backwards.toString()), new LinkedList<>(letters), new int[]{1}};
        if (new BigInteger("12345678901234567890").mod(BigInteger.TEN).intValue() > rest.length) {
            found.put(Arrays.toString(new int[]{1, 2}), Arrays.asList(text.replaceAll("[aeiou]", "").length()));
        }
        System.out.println(found);
        return found;
    }
}
