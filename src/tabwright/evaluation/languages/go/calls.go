package tabwright

import (
	"bytes"
	"reflect"
	"sync"
	"syscall"
)

// Messages on descriptor 3 are a length (four bytes, big-endian) and as many bytes.
const channel = 3

const longestReason = 300

func send(message []byte) {
	size := len(message)
	data := append([]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}, message...)
	for len(data) > 0 {
		n, err := syscall.Write(channel, data)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			syscall.Exit(3)
		}
		data = data[n:]
	}
}

func receiveBytes(size int) []byte {
	data := make([]byte, size)
	for got := 0; got < size; {
		n, err := syscall.Read(channel, data[got:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			syscall.Exit(3)
		}
		got += n
	}
	return data
}

func receive() []byte {
	head := receiveBytes(4)
	return receiveBytes(int(head[0])<<24 | int(head[1])<<16 | int(head[2])<<8 | int(head[3]))
}

// Begin says that this process has started; a test then waits for its order.
func Begin(isTest bool) {
	send(nil)
	if isTest {
		receive()
	}
}

// ---- the program's side: answer calls of one function ----

// Serve answers calls of a function until the process is ended.
func Serve(function any) {
	called := reflect.ValueOf(function)
	known := namesOf(called.Type())
	Begin(false)
	for {
		send(answer(called, known, receive()))
	}
}

func answer(function reflect.Value, known *names, call []byte) (reply []byte) {
	defer func() {
		if problem := recover(); problem != nil {
			reply = []byte("E" + textOf(problem))
		}
	}()
	in := reader{left: call, budget: uint64(len(call)), names: known}
	arguments := make([]reflect.Value, function.Type().NumIn())
	for i := range arguments {
		arguments[i] = reflect.New(function.Type().In(i)).Elem()
		in.value(arguments[i])
	}
	before := in.left
	in.rest(0)
	given := len(in.objects)
	results := callOf(function)(arguments)
	out := writer{graph: in.graph, names: known}
	for _, object := range in.objects {
		out.contents(object)
	}
	if bytes.Equal(out.out, before) {
		out.out = []byte("R\x00")
	} else {
		out.out = append([]byte("R\x01"), out.out...)
	}
	for _, result := range results {
		out.value(addressable(result))
	}
	out.rest(given)
	return out.out
}

func callOf(function reflect.Value) func([]reflect.Value) []reflect.Value {
	if function.Type().IsVariadic() {
		return function.CallSlice
	}
	return function.Call
}

func textOf(problem any) string {
	switch text := problem.(type) {
	case error:
		return text.Error()
	case string:
		return text
	}
	return "a " + reflect.TypeOf(problem).String()
}

// ---- the test's side ----

var asking sync.Mutex

// Ask returns a function of the given type that asks the program.
func Ask[F any]() F {
	var function F
	of := reflect.TypeOf(function)
	known := namesOf(of)
	asker := reflect.MakeFunc(of, func(arguments []reflect.Value) []reflect.Value {
		asking.Lock()
		defer asking.Unlock()
		return ask(of, known, arguments)
	})
	reflect.ValueOf(&function).Elem().Set(asker)
	return function
}

func ask(of reflect.Type, known *names, arguments []reflect.Value) []reflect.Value {
	out := writer{names: known, out: []byte("C")}
	for _, argument := range arguments {
		out.value(addressable(argument))
	}
	out.rest(0)
	send(out.out)
	reply := receive()
	if len(reply) == 0 || reply[0] != 'R' && reply[0] != 'E' {
		panic("what the program sent is no answer")
	} else if reply[0] == 'E' {
		panic("panic: " + string(reply[1:least(len(reply), longestReason)]))
	}
	in := reader{graph: out.graph, left: reply[1:], budget: uint64(len(reply)), names: known}
	given := len(in.objects)
	if in.take(1)[0] != 0 {
		for _, object := range out.objects {
			in.contents(object)
		}
	}
	results := make([]reflect.Value, of.NumOut())
	for i := range results {
		results[i] = reflect.New(of.Out(i)).Elem()
		in.value(results[i])
	}
	in.rest(given)
	return results
}

func least(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// End says how the test went, with the reason where it failed, and ends the process.
func End(passed bool, reason string) {
	if passed {
		send([]byte("P"))
	} else {
		send([]byte("F" + reason[:least(len(reason), 4*longestReason)]))
	}
	syscall.Exit(0)
}
