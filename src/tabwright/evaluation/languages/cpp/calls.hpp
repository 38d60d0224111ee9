// Calls between a test and a program that are two processes: plain data <-> bytes, by the types of the function called.
// Messages on descriptor 3 are a length (four bytes, big-endian) and as many bytes. Reading trusts no count and no length.
#pragma once
#include <array>
#include <boost/any.hpp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tabwright {

// ---- bytes ----

struct Broken : std::runtime_error {
    explicit Broken(const std::string& what) : std::runtime_error(what) {}
};

struct Reader {
    const char* at;
    const char* end;
    explicit Reader(const std::string& data) : at(data.data()), end(data.data() + data.size()) {}
    size_t left() const { return static_cast<size_t>(end - at); }
    const char* take(size_t size) {
        if (size > left()) throw Broken("an answer that ends too early");
        const char* taken = at;
        at += size;
        return taken;
    }
    uint32_t count() {
        uint32_t value;
        std::memcpy(&value, take(sizeof value), sizeof value);
        if (value > left()) throw Broken("an answer that is longer than its bytes");
        return value;
    }
};

inline void put_count(std::string& out, size_t size) {
    uint32_t value = static_cast<uint32_t>(size);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// ---- plain data: declared first, since containers hold each other ----

template <class T> typename std::enable_if<std::is_arithmetic<T>::value>::type put(std::string&, const T&);
template <class T> typename std::enable_if<std::is_arithmetic<T>::value>::type get(Reader&, T&);
inline void put(std::string&, const std::string&);
inline void get(Reader&, std::string&);
inline void put(std::string&, const boost::any&);
inline void get(Reader&, boost::any&);
template <class A, class B> void put(std::string&, const std::pair<A, B>&);
template <class A, class B> void get(Reader&, std::pair<A, B>&);
template <class... T> void put(std::string&, const std::tuple<T...>&);
template <class... T> void get(Reader&, std::tuple<T...>&);
template <class T, size_t N> void put(std::string&, const std::array<T, N>&);
template <class T, size_t N> void get(Reader&, std::array<T, N>&);
inline void put(std::string&, const std::vector<bool>&);
inline void get(Reader&, std::vector<bool>&);

#define TABWRIGHT_SEQUENCE(Type)                                  \
    template <class T> void put(std::string&, const std::Type<T>&); \
    template <class T> void get(Reader&, std::Type<T>&);
TABWRIGHT_SEQUENCE(vector)
TABWRIGHT_SEQUENCE(list)
TABWRIGHT_SEQUENCE(deque)
TABWRIGHT_SEQUENCE(set)
TABWRIGHT_SEQUENCE(multiset)
TABWRIGHT_SEQUENCE(unordered_set)
#undef TABWRIGHT_SEQUENCE
#define TABWRIGHT_TABLE(Type)                                              \
    template <class K, class V> void put(std::string&, const std::Type<K, V>&); \
    template <class K, class V> void get(Reader&, std::Type<K, V>&);
TABWRIGHT_TABLE(map)
TABWRIGHT_TABLE(multimap)
TABWRIGHT_TABLE(unordered_map)
#undef TABWRIGHT_TABLE

template <class T> typename std::enable_if<std::is_arithmetic<T>::value>::type put(std::string& out, const T& value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T> typename std::enable_if<std::is_arithmetic<T>::value>::type get(Reader& in, T& value) {
    std::memcpy(&value, in.take(sizeof value), sizeof value);
}

template <> inline void get<bool>(Reader& in, bool& value) { value = *in.take(1) != 0; }

inline void put(std::string& out, const std::string& value) {
    put_count(out, value.size());
    out += value;
}

inline void get(Reader& in, std::string& value) {
    uint32_t size = in.count();
    value.assign(in.take(size), size);
}

template <class A, class B> void put(std::string& out, const std::pair<A, B>& value) {
    put(out, value.first);
    put(out, value.second);
}

template <class A, class B> void get(Reader& in, std::pair<A, B>& value) {
    get(in, value.first);
    get(in, value.second);
}

template <size_t I, class... T> typename std::enable_if<I == sizeof...(T)>::type put_parts(std::string&, const std::tuple<T...>&) {}
template <size_t I, class... T> typename std::enable_if<(I < sizeof...(T))>::type put_parts(std::string& out, const std::tuple<T...>& value) {
    put(out, std::get<I>(value));
    put_parts<I + 1>(out, value);
}
template <class... T> void put(std::string& out, const std::tuple<T...>& value) { put_parts<0>(out, value); }

template <size_t I, class... T> typename std::enable_if<I == sizeof...(T)>::type get_parts(Reader&, std::tuple<T...>&) {}
template <size_t I, class... T> typename std::enable_if<(I < sizeof...(T))>::type get_parts(Reader& in, std::tuple<T...>& value) {
    get(in, std::get<I>(value));
    get_parts<I + 1>(in, value);
}
template <class... T> void get(Reader& in, std::tuple<T...>& value) { get_parts<0>(in, value); }

template <class T, size_t N> void put(std::string& out, const std::array<T, N>& value) {
    for (const T& item : value) put(out, item);
}
template <class T, size_t N> void get(Reader& in, std::array<T, N>& value) {
    for (T& item : value) get(in, item);
}

inline void put(std::string& out, const std::vector<bool>& value) {
    put_count(out, value.size());
    for (bool item : value) out += item ? '\1' : '\0';
}
inline void get(Reader& in, std::vector<bool>& value) {
    value.clear();
    for (uint32_t n = in.count(); n > 0; --n) value.push_back(*in.take(1) != 0);
}

template <class C> void put_items(std::string& out, const C& value) {
    put_count(out, value.size());
    for (const auto& item : value) put(out, item);
}
template <class C, class Item> void get_items(Reader& in, C& value) {
    value.clear();
    for (uint32_t n = in.count(); n > 0; --n) {
        Item item{};
        get(in, item);
        value.insert(value.end(), std::move(item));
    }
}
#define TABWRIGHT_SEQUENCE(Type)                                                                    \
    template <class T> void put(std::string& out, const std::Type<T>& value) { put_items(out, value); } \
    template <class T> void get(Reader& in, std::Type<T>& value) { get_items<std::Type<T>, T>(in, value); }
TABWRIGHT_SEQUENCE(vector)
TABWRIGHT_SEQUENCE(list)
TABWRIGHT_SEQUENCE(deque)
TABWRIGHT_SEQUENCE(set)
TABWRIGHT_SEQUENCE(multiset)
TABWRIGHT_SEQUENCE(unordered_set)
#undef TABWRIGHT_SEQUENCE
#define TABWRIGHT_TABLE(Type)                                                                              \
    template <class K, class V> void put(std::string& out, const std::Type<K, V>& value) { put_items(out, value); } \
    template <class K, class V> void get(Reader& in, std::Type<K, V>& value) {                             \
        get_items<std::Type<K, V>, std::pair<K, V>>(in, value);                                            \
    }
TABWRIGHT_TABLE(map)
TABWRIGHT_TABLE(multimap)
TABWRIGHT_TABLE(unordered_map)
#undef TABWRIGHT_TABLE

// ---- boost::any: a letter for the type, then the value; what is of another type arrives as an Unknown ----

struct Unknown {};

template <class T> bool put_any(std::string& out, const boost::any& value, char letter) {
    if (value.type() != typeid(T)) return false;
    out += letter;
    put(out, *boost::any_cast<T>(&value));
    return true;
}
template <class T> boost::any get_any(Reader& in) {
    T value{};
    get(in, value);
    return value;
}

inline void put(std::string& out, const boost::any& value) {
    if (value.empty()) {
        out += '-';
    } else if (value.type() == typeid(const char*)) {
        out += 'p';
        put(out, std::string(*boost::any_cast<const char*>(&value)));
    } else if (!put_any<bool>(out, value, 'b') && !put_any<char>(out, value, 'c') && !put_any<int>(out, value, 'i') &&
               !put_any<long>(out, value, 'l') && !put_any<long long>(out, value, 'L') &&
               !put_any<float>(out, value, 'f') && !put_any<double>(out, value, 'd') &&
               !put_any<std::string>(out, value, 's') && !put_any<std::vector<int>>(out, value, 'I') &&
               !put_any<std::vector<double>>(out, value, 'D') && !put_any<std::vector<std::string>>(out, value, 'S') &&
               !put_any<std::list<boost::any>>(out, value, 'A')) {
        out += '?';
    }
}

inline void get(Reader& in, boost::any& value) {
    static unsigned depth = 0;
    struct Deeper {
        Deeper() { if (++depth > 100) throw Broken("an answer that is nested too deeply"); }
        ~Deeper() { --depth; }
    } deeper;
    switch (*in.take(1)) {
        case '-': value = boost::any(); break;
        case 'b': value = get_any<bool>(in); break;
        case 'c': value = get_any<char>(in); break;
        case 'i': value = get_any<int>(in); break;
        case 'l': value = get_any<long>(in); break;
        case 'L': value = get_any<long long>(in); break;
        case 'f': value = get_any<float>(in); break;
        case 'd': value = get_any<double>(in); break;
        case 's': value = get_any<std::string>(in); break;
        case 'I': value = get_any<std::vector<int>>(in); break;
        case 'D': value = get_any<std::vector<double>>(in); break;
        case 'S': value = get_any<std::vector<std::string>>(in); break;
        case 'A': value = get_any<std::list<boost::any>>(in); break;
        case 'p': {
            static std::list<std::string> kept;  // a pointer to text needs text that stays
            kept.emplace_back();
            get(in, kept.back());
            value = kept.back().c_str();
            break;
        }
        default: value = Unknown();
    }
}

// ---- messages ----

// The C library's own names: a program's global variable may be called `read` or `write`.
extern "C" ssize_t __write(int, const void*, size_t);
extern "C" ssize_t __read(int, void*, size_t);

inline void send(const std::string& message) {
    uint32_t size = static_cast<uint32_t>(message.size());
    std::string data = {char(size >> 24), char(size >> 16), char(size >> 8), char(size)};
    data += message;
    for (size_t sent = 0; sent < data.size();) {
        ssize_t n = __write(3, data.data() + sent, data.size() - sent);
        if (n <= 0) ::_exit(3);
        sent += static_cast<size_t>(n);
    }
}

inline std::string receive_bytes(size_t size) {
    std::string data(size, '\0');
    for (size_t got = 0; got < size;) {
        ssize_t n = __read(3, &data[got], size - got);
        if (n <= 0) ::_exit(3);
        got += static_cast<size_t>(n);
    }
    return data;
}

inline std::string receive() {
    std::string head = receive_bytes(4);
    uint32_t size = 0;
    for (char c : head) size = size << 8 | static_cast<unsigned char>(c);
    return receive_bytes(size);
}

// ---- the program's side: answer calls of one function ----

template <size_t... I> struct Indices {};
template <size_t N, size_t... I> struct Count : Count<N - 1, N - 1, I...> {};
template <size_t... I> struct Count<0, I...> { typedef Indices<I...> type; };

template <class A> struct IsChanged
    : std::integral_constant<bool, std::is_lvalue_reference<A>::value &&
                                       !std::is_const<typename std::remove_reference<A>::type>::value> {};

template <class A, class V> typename std::enable_if<IsChanged<A>::value>::type put_changed(std::string& out, const V& value) {
    out += '\1';
    put(out, value);
}
template <class A, class V> typename std::enable_if<!IsChanged<A>::value>::type put_changed(std::string& out, const V&) { out += '\0'; }

template <class R> struct Called {
    template <class F, class... V> static void put_result(std::string& out, F function, V&... values) { put(out, R(function(values...))); }
};
template <> struct Called<void> {
    template <class F, class... V> static void put_result(std::string&, F function, V&... values) { function(values...); }
};

template <class R, class... A, size_t... I>
std::string answer(R (*function)(A...), Reader& in, Indices<I...>) {
    std::tuple<typename std::decay<A>::type...> values;
    get(in, values);
    std::string result, out(1, 'R');
    Called<typename std::decay<R>::type>::put_result(result, function, std::get<I>(values)...);
    int in_order[] = {0, (put_changed<A>(out, std::get<I>(values)), 0)...};
    (void)in_order;
    return out + result;
}

template <class R, class... A> int serve(R (*function)(A...)) {
    send("");
    for (;;) {
        std::string call = receive(), reply;
        Reader in(call);
        try {
            reply = answer(function, in, typename Count<sizeof...(A)>::type());
        } catch (const std::bad_alloc& error) {
            reply = std::string("M") + error.what();
        } catch (const std::exception& error) {
            reply = std::string("E") + typeid(error).name() + ": " + error.what();
        } catch (...) {
            reply = "Ean exception";
        }
        std::fflush(nullptr);
        send(reply);
    }
}

// ---- the test's side ----

template <class V> typename std::enable_if<!std::is_const<V>::value>::type get_changed(Reader& in, V& value) { get(in, value); }
template <class V> typename std::enable_if<std::is_const<V>::value>::type get_changed(Reader&, V&) { throw Broken("a change to what cannot change"); }

template <class R> struct Result {
    static R of(Reader& in) {
        R value{};
        get(in, value);
        return value;
    }
};
template <> struct Result<void> { static void of(Reader&) {} };

template <class R, class... A> R ask(A&... arguments) {
    std::string call(1, 'C');
    int in_order[] = {0, (put(call, arguments), 0)...};
    send(call);
    std::string reply = receive();
    if (reply.empty() || reply[0] != 'R') throw std::runtime_error(reply.substr(0, 300));
    Reader in(reply);
    in.take(1);
    int changes[] = {0, (*in.take(1) ? (get_changed(in, arguments), 0) : 0)...};
    (void)in_order, (void)changes;
    return Result<R>::of(in);
}

[[noreturn]] inline void verdict(const std::string& text) {
    std::fflush(nullptr);
    send(text);
    ::_exit(0);
}

}  // namespace tabwright
