// Package tabwright carries calls between a test and a program that are two processes: plain data <-> bytes, by the
// types of the function that is called.
//
// Slices, maps and pointers are objects: each gets a number where it is first met, both sides count alike, and what an
// object holds is written once, in the order of the numbers. So what is shared stays shared, what goes in circles ends,
// and an answer can say anew what the arguments hold. Reading trusts no count, no length and no type.
package tabwright

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"unsafe"
)

const (
	deepest   = 1000    // values within values, where types do not bound it
	mostBytes = 1 << 32 // so that no product overflows
	spare     = 64      // room beyond a slice's length that is always believed
)

// A broken is what reading and writing panic with; the text says what is wrong.
type broken string

func (text broken) Error() string { return string(text) }

// An identity tells objects apart.
type identity struct {
	at               unsafe.Pointer
	length, capacity int
	of               reflect.Type
}

// A graph numbers objects.
type graph struct {
	objects []reflect.Value
	numbers map[identity]int
}

func identityOf(v reflect.Value) identity {
	found := identity{at: v.UnsafePointer(), of: v.Type()}
	if v.Kind() == reflect.Slice {
		found.length, found.capacity = v.Len(), v.Cap()
	}
	return found
}

func (g *graph) add(v reflect.Value) {
	if g.numbers == nil {
		g.numbers = map[identity]int{}
	}
	kept := reflect.New(v.Type()).Elem() // a copy, since where v stands something else may be put
	kept.Set(v)
	g.numbers[identityOf(kept)] = len(g.objects)
	g.objects = append(g.objects, kept)
}

// exposed returns an addressable value as one that can be set, unexported fields included.
func exposed(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// addressable returns a value that is equal and has an address.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return exposed(v)
	}
	kept := reflect.New(v.Type()).Elem()
	kept.Set(v)
	return kept
}

// ---- writing ----

type writer struct {
	graph
	out   []byte
	names *names
	depth int
}

func (w *writer) number(n uint64) { w.out = binary.AppendUvarint(w.out, n) }

func (w *writer) text(s string) {
	w.number(uint64(len(s)))
	w.out = append(w.out, s...)
}

// value writes at least one byte, so that a count can be held against the bytes that are left.
func (w *writer) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			w.out = append(w.out, 1)
		} else {
			w.out = append(w.out, 0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.out = binary.AppendVarint(w.out, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.number(v.Uint())
	case reflect.Float32, reflect.Float64:
		w.out = binary.LittleEndian.AppendUint64(w.out, math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		w.out = binary.LittleEndian.AppendUint64(w.out, math.Float64bits(real(v.Complex())))
		w.out = binary.LittleEndian.AppendUint64(w.out, math.Float64bits(imag(v.Complex())))
	case reflect.String:
		w.text(v.String())
	case reflect.Array, reflect.Struct:
		w.parts(addressable(v))
	case reflect.Slice, reflect.Map, reflect.Pointer:
		w.reference(v)
	case reflect.Interface:
		w.dynamic(v)
	default:
		if !v.IsNil() {
			panic(broken("a " + v.Type().String() + " cannot go from one process to another"))
		}
		w.out = append(w.out, 0)
	}
}

func (w *writer) parts(v reflect.Value) {
	before := len(w.out)
	if v.Kind() == reflect.Array {
		for i := 0; i < v.Len(); i++ {
			w.value(v.Index(i))
		}
	} else {
		for i := 0; i < v.NumField(); i++ {
			w.value(exposed(v.Field(i)))
		}
	}
	if len(w.out) == before {
		w.out = append(w.out, 0)
	}
}

// reference writes 0 for nil, 2 + n for object n, and 1 for a new object, with the size of a slice.
func (w *writer) reference(v reflect.Value) {
	if v.IsNil() {
		w.number(0)
		return
	}
	if n, known := w.numbers[identityOf(v)]; known {
		w.number(uint64(n) + 2)
		return
	}
	w.number(1)
	if v.Kind() == reflect.Slice {
		w.number(uint64(v.Len()))
		w.number(uint64(v.Cap() - v.Len()))
	}
	w.add(v)
}

// contents writes what an object holds.
func (w *writer) contents(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for i := 0; i < v.Len(); i++ {
			w.value(v.Index(i))
		}
	case reflect.Map:
		w.number(uint64(v.Len()))
		for pairs := v.MapRange(); pairs.Next(); {
			w.value(pairs.Key())
			w.value(pairs.Value())
		}
	default:
		w.value(v.Elem())
	}
}

// rest writes what objects hold from a number on, until none is new.
func (w *writer) rest(from int) {
	for ; from < len(w.objects); from++ {
		w.contents(w.objects[from])
	}
}

// dynamic writes 0 for nil, 1 and a type for a value that can be told, 2 and a text for an error, 3 for anything else.
func (w *writer) dynamic(v reflect.Value) {
	if v.IsNil() {
		w.out = append(w.out, 0)
		return
	}
	if w.depth++; w.depth > deepest {
		panic(broken("a value that is nested too deeply"))
	}
	held := v.Elem()
	if described := w.names.describe(held.Type()); described != nil {
		w.out = append(append(w.out, 1), described...)
		w.value(held)
	} else if err, is := v.Interface().(error); is {
		w.out = append(w.out, 2)
		w.text(err.Error())
	} else {
		w.out = append(w.out, 3)
	}
	w.depth--
}

// ---- reading ----

type reader struct {
	graph
	left   []byte
	budget uint64 // what new objects may still hold, in bytes of the message
	names  *names
	depth  int
}

func (r *reader) take(size uint64) []byte {
	if size > uint64(len(r.left)) {
		panic(broken("a message that ends too early"))
	}
	taken := r.left[:size]
	r.left = r.left[size:]
	return taken
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.left)
	if size <= 0 {
		panic(broken("a message with a number that ends too early"))
	}
	r.left = r.left[size:]
	return n
}

func (r *reader) text() string { return string(r.take(r.number())) }

func (r *reader) float() float64 { return math.Float64frombits(binary.LittleEndian.Uint64(r.take(8))) }

// spend takes what a new object of n values holds at least from the budget.
func (r *reader) spend(n uint64, of reflect.Type) {
	least := leastBytes(of)
	if n > r.budget || n*least > r.budget {
		panic(broken("a message that says more than it has bytes for"))
	}
	r.budget -= n * least
}

func (r *reader) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.take(1)[0] != 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, size := binary.Varint(r.left)
		if size <= 0 || v.OverflowInt(n) {
			panic(broken("a message with a number that does not fit its type"))
		}
		r.left = r.left[size:]
		v.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		n := r.number()
		if v.OverflowUint(n) {
			panic(broken("a message with a number that does not fit its type"))
		}
		v.SetUint(n)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(r.float())
	case reflect.Complex64, reflect.Complex128:
		part := r.float()
		v.SetComplex(complex(part, r.float()))
	case reflect.String:
		v.SetString(r.text())
	case reflect.Array, reflect.Struct:
		r.parts(v)
	case reflect.Slice, reflect.Map, reflect.Pointer:
		r.reference(v)
	case reflect.Interface:
		r.dynamic(v)
	default:
		r.take(1)
		v.Set(reflect.Zero(v.Type()))
	}
}

func (r *reader) parts(v reflect.Value) {
	before := len(r.left)
	if v.Kind() == reflect.Array {
		for i := 0; i < v.Len(); i++ {
			r.value(v.Index(i))
		}
	} else {
		for i := 0; i < v.NumField(); i++ {
			r.value(exposed(v.Field(i)))
		}
	}
	if len(r.left) == before {
		r.take(1)
	}
}

func (r *reader) reference(v reflect.Value) {
	of := v.Type()
	n := r.number()
	if n == 0 {
		v.Set(reflect.Zero(of))
		return
	}
	if n > 1 {
		if n-2 >= uint64(len(r.objects)) || r.objects[n-2].Type() != of {
			panic(broken("a message that names an object that is not there"))
		}
		v.Set(r.objects[n-2])
		return
	}
	switch of.Kind() {
	case reflect.Slice:
		length, more := r.number(), r.number()
		r.spend(length, of.Elem())
		if more > 2*length+spare {
			more = 0
		}
		v.Set(reflect.MakeSlice(of, int(length), int(length+more)))
	case reflect.Map:
		v.Set(reflect.MakeMap(of))
	default:
		r.spend(1, of.Elem())
		v.Set(reflect.New(of.Elem()).Convert(of))
	}
	r.add(v)
}

// contents reads what an object holds into it, so that whoever has it sees it.
func (r *reader) contents(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for i := 0; i < v.Len(); i++ {
			r.value(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			v.SetMapIndex(key, reflect.Value{})
		}
		for n := r.number(); n > 0; n-- {
			key, held := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			r.value(key)
			r.value(held)
			v.SetMapIndex(key, held)
		}
	default:
		r.value(v.Elem())
	}
}

func (r *reader) rest(from int) {
	for ; from < len(r.objects); from++ {
		r.contents(r.objects[from])
	}
}

// An Unknown stands for a value whose type cannot be told to the other process; it equals nothing else.
type Unknown struct{}

func (r *reader) dynamic(v reflect.Value) {
	if r.depth++; r.depth > deepest {
		panic(broken("a message that is nested too deeply"))
	}
	var held reflect.Value
	switch r.take(1)[0] {
	case 0:
		held = reflect.Zero(v.Type())
	case 1:
		of := r.names.read(r, 0)
		if least := leastBytes(of); least > uint64(len(r.left)) {
			panic(broken("a message that says more than it has bytes for"))
		}
		held = reflect.New(of).Elem()
		r.value(held)
	case 2:
		held = reflect.ValueOf(errors.New(r.text()))
	default:
		held = reflect.ValueOf(Unknown{})
	}
	if !held.Type().AssignableTo(v.Type()) {
		panic(broken("a message with a " + held.Type().String() + " in the place of a " + v.Type().String()))
	}
	v.Set(held)
	r.depth--
}
