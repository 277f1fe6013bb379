package codec

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"sync"
)

// types are those that interfaces may hold. Both directions are kept, under one name.
var types struct {
	sync.RWMutex
	once   sync.Once
	byName map[string]*plan
	byType map[reflect.Type]string
}

// basic are registered without being asked for.
var basic = []any{
	false, int(0), int8(0), int16(0), int32(0), int64(0), uint(0), uint8(0), uint16(0), uint32(0), uint64(0), uintptr(0),
	float32(0), float64(0), complex64(0), complex128(0), "",
	[]bool(nil), []int(nil), []int32(nil), []int64(nil), []byte(nil), []uint32(nil), []uint64(nil), []float32(nil), []float64(nil),
	[]string(nil), []any(nil), map[string]any(nil), map[string]string(nil), map[string]int(nil), map[any]any(nil), struct{}{},
}

func registerBasic() {
	types.byName, types.byType = map[string]*plan{}, map[reflect.Type]string{}
	for _, v := range basic {
		t := reflect.TypeOf(v)
		p, err := planOf(t)
		if err != nil {
			continue // cannot be: none of them has anything that is refused
		}
		types.byName[t.String()], types.byType[t] = p, t.String()
	}
}

// RegisterType lets interfaces hold values of a type. It fails for types that cannot be carried.
func RegisterType(t reflect.Type) error {
	types.once.Do(registerBasic)
	p, err := planOf(t)
	if err != nil {
		return err
	}
	name := typeName(t)
	types.Lock()
	defer types.Unlock()
	if _, there := types.byType[t]; there {
		return nil
	}
	if other := types.byName[name]; other != nil {
		return fmt.Errorf("register type %v: the name %q is taken", t, name)
	}
	types.byName[name], types.byType[t] = p, name
	return nil
}

// typeName is the full name of a type. Types inside functions may share theirs.
func typeName(t reflect.Type) string {
	switch {
	case t.PkgPath() != "":
		return t.PkgPath() + "." + t.Name()
	case t.Kind() == reflect.Pointer:
		return "*" + typeName(t.Elem())
	case t.Kind() == reflect.Slice:
		return "[]" + typeName(t.Elem())
	default:
		return t.String()
	}
}

func registeredType(t reflect.Type) (string, *plan, error) {
	types.once.Do(registerBasic)
	types.RLock()
	defer types.RUnlock()
	name, ok := types.byType[t]
	if !ok {
		return "", nil, fmt.Errorf("%w: %v in an interface is not registered", ErrType, t)
	}
	return name, types.byName[name], nil
}

func registeredName(name string) (*plan, error) {
	types.once.Do(registerBasic)
	types.RLock()
	defer types.RUnlock()
	p := types.byName[name]
	if p == nil {
		return nil, fmt.Errorf("%w: type %q in an interface is not registered here", ErrType, name)
	}
	return p, nil
}

// Signature is a hash of a type's structure: names, kinds, fields and sizes. Equal types of one program have the same
// one; types of two programs that have the same are carried in the same way.
func Signature(t reflect.Type) uint64 {
	h := fnv.New64a()
	describe(t, map[reflect.Type]bool{}, func(s string) { _, _ = h.Write([]byte(s)) }) // a hash cannot fail
	return h.Sum64()
}

func describe(t reflect.Type, seen map[reflect.Type]bool, emit func(string)) {
	emit(fmt.Sprintf("%s %s %d;", typeName(t), t.Kind(), t.Size()))
	if seen[t] {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		describe(t.Elem(), seen, emit)
	case reflect.Array:
		emit(fmt.Sprint(t.Len()))
		describe(t.Elem(), seen, emit)
	case reflect.Map:
		describe(t.Key(), seen, emit)
		describe(t.Elem(), seen, emit)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			emit(fmt.Sprintf("%s@%d:", f.Name, f.Offset))
			describe(f.Type, seen, emit)
		}
	default:
	}
}
