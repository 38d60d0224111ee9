package tabwright

import (
	"encoding/binary"
	"reflect"
)

const deepestType = 32

var (
	errorType   = reflect.TypeOf((*error)(nil)).Elem()
	anythings   = reflect.TypeOf((*any)(nil)).Elem()
	predeclared = map[reflect.Kind]reflect.Type{}
)

func init() {
	for _, v := range []any{
		false, 0, int8(0), int16(0), int32(0), int64(0), uint(0), uint8(0), uint16(0), uint32(0), uint64(0), uintptr(0),
		float32(0), float64(0), complex64(0), complex128(0), "", struct{}{},
	} {
		predeclared[reflect.TypeOf(v).Kind()] = reflect.TypeOf(v)
	}
}

// names are the types with a name that a function's own type leads to; both processes find them in the same order.
type names struct {
	types     []reflect.Type
	numbers   map[reflect.Type]int
	described map[reflect.Type][]byte
}

func namesOf(function reflect.Type) *names {
	n := &names{numbers: map[reflect.Type]int{}, described: map[reflect.Type][]byte{}}
	seen := map[reflect.Type]bool{}
	for i := 0; i < function.NumIn(); i++ {
		n.find(function.In(i), seen)
	}
	for i := 0; i < function.NumOut(); i++ {
		n.find(function.Out(i), seen)
	}
	return n
}

func (n *names) find(of reflect.Type, seen map[reflect.Type]bool) {
	if seen[of] {
		return
	}
	seen[of] = true
	if of.PkgPath() != "" && of.Kind() != reflect.Interface {
		n.numbers[of] = len(n.types)
		n.types = append(n.types, of)
	}
	switch of.Kind() {
	case reflect.Struct:
		for i := 0; i < of.NumField(); i++ {
			n.find(of.Field(i).Type, seen)
		}
	case reflect.Map:
		n.find(of.Key(), seen)
		n.find(of.Elem(), seen)
	case reflect.Array, reflect.Slice, reflect.Pointer:
		n.find(of.Elem(), seen)
	}
}

// describe returns a type as bytes, nil where the other process may not know it: its kind, or 255 and a name's number.
func (n *names) describe(of reflect.Type) []byte {
	if known, is := n.described[of]; is {
		return known
	}
	out := n.compose(of)
	n.described[of] = out
	return out
}

func (n *names) compose(of reflect.Type) []byte {
	if number, known := n.numbers[of]; known {
		return binary.AppendUvarint([]byte{255}, uint64(number))
	}
	out := []byte{byte(of.Kind())}
	if predeclared[of.Kind()] == of || of == anythings {
		return out
	}
	if of == errorType {
		return []byte{254}
	}
	if of.PkgPath() != "" {
		return nil
	}
	switch of.Kind() {
	case reflect.Array:
		out = binary.AppendUvarint(out, uint64(of.Len()))
	case reflect.Map:
		key := n.describe(of.Key())
		if key == nil {
			return nil
		}
		out = append(out, key...)
	case reflect.Slice, reflect.Pointer:
	default:
		return nil
	}
	held := n.describe(of.Elem())
	if held == nil {
		return nil
	}
	return append(out, held...)
}

func (n *names) read(r *reader, depth int) reflect.Type {
	if depth > deepestType {
		panic(broken("a message with a type that is nested too deeply"))
	}
	letter := r.take(1)[0]
	switch kind := reflect.Kind(letter); {
	case letter == 255:
		number := r.number()
		if number >= uint64(len(n.types)) {
			panic(broken("a message with a type that is not there"))
		}
		return n.types[number]
	case letter == 254:
		return errorType
	case kind == reflect.Interface:
		return anythings
	case kind == reflect.Slice:
		return reflect.SliceOf(n.read(r, depth+1))
	case kind == reflect.Pointer:
		return reflect.PointerTo(n.read(r, depth+1))
	case kind == reflect.Map:
		key := n.read(r, depth+1)
		if !key.Comparable() {
			panic(broken("a message with a map of what cannot be compared"))
		}
		return reflect.MapOf(key, n.read(r, depth+1))
	case kind == reflect.Array:
		length := r.number()
		of := n.read(r, depth+1)
		if length > uint64(len(r.left)) || length*leastBytes(of) > uint64(len(r.left)) {
			panic(broken("a message that says more than it has bytes for"))
		}
		return reflect.ArrayOf(int(length), of)
	case predeclared[kind] != nil:
		return predeclared[kind]
	}
	panic(broken("a message with a type that is not there"))
}

// leastBytes returns how many bytes a value of the type takes in a message at least.
func leastBytes(of reflect.Type) uint64 {
	least := uint64(0)
	switch of.Kind() {
	case reflect.Array:
		n := uint64(of.Len())
		if least = leastBytes(of.Elem()); n > mostBytes/least {
			return mostBytes
		}
		least *= n
	case reflect.Struct:
		for i := 0; i < of.NumField(); i++ {
			least += leastBytes(of.Field(i).Type)
		}
	case reflect.Float32, reflect.Float64:
		least = 8
	}
	if least < 1 {
		return 1
	}
	if least > mostBytes {
		return mostBytes
	}
	return least
}
