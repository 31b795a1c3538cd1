// Generates expressions, evaluates each with cel-go and prints what it got, a line of JSON each:
// {"expr": ..., "vars": {...}, "want": literal}, {..., "error": message} or {..., "unstable": true}; with "check": message
// where the types show a fault already. They are evaluated all the same.
//
// usage: differential [-count N] [-seed S]
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/ext"
)

// What the generated expressions may name, as literals for ringfold and as values for cel-go.
var variables = map[string]struct {
	literal string
	value   any
}{
	"i": {"7", int64(7)},
	"j": {"-3", int64(-3)},
	"u": {"5u", uint64(5)},
	"d": {"2.5", 2.5},
	"s": {`"hello"`, "hello"},
	"t": {`"grüße, 世界"`, "grüße, 世界"},
	"y": {`b"ab\xff"`, []byte("ab\xff")},
	"f": {"false", false},
	"l": {"[3, 1, 2]", []int64{3, 1, 2}},
	"w": {`["b", "a", "c"]`, []string{"b", "a", "c"}},
	"m": {`{"a": 1, "b": 2}`, map[string]int64{"a": 1, "b": 2}},
	"n": {"null", nil},
	"at": {`timestamp("2024-02-29T23:59:59.5Z")`,
		time.Date(2024, 2, 29, 23, 59, 59, 500000000, time.UTC)},
	"p": {`duration("5400.25s")`, 5400*time.Second + 250*time.Millisecond},
}

func quote(text string, bytes bool) string {
	var out strings.Builder
	out.WriteByte('"')
	if bytes {
		for i := 0; i < len(text); i++ {
			fmt.Fprintf(&out, `\x%02x`, text[i])
		}
	} else {
		for _, r := range text {
			fmt.Fprintf(&out, `\U%08x`, r)
		}
	}
	out.WriteByte('"')
	return out.String()
}

func literal(v ref.Val) string {
	switch v := v.(type) {
	case types.Bool, types.Int:
		return fmt.Sprint(v.Value())
	case types.Uint:
		return fmt.Sprintf("%du", uint64(v))
	case types.Double:
		return double(float64(v))
	case types.String:
		return quote(string(v), false)
	case types.Bytes:
		return "b" + quote(string(v), true)
	case types.Null:
		return "null"
	case types.Timestamp:
		return fmt.Sprintf(`timestamp("%s")`, v.Time.UTC().Format(time.RFC3339Nano))
	case types.Duration:
		return fmt.Sprintf(`duration("%s")`, span(v.Duration))
	case *types.Optional:
		if !v.HasValue() {
			return "optional.none()"
		}
		return "optional.of(" + literal(v.GetValue()) + ")"
	case traits.Mapper:
		entries := []string{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			entries = append(entries, literal(key)+": "+literal(v.Get(key)))
		}
		sort.Strings(entries)
		return "{" + strings.Join(entries, ", ") + "}"
	case traits.Lister:
		items := []string{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			items = append(items, literal(it.Next()))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case ref.Type:
		return v.TypeName()
	}
	return fmt.Sprintf("unknown(%q)", fmt.Sprintf("%T", v))
}

func double(d float64) string {
	if math.IsNaN(d) || math.IsInf(d, 0) {
		return fmt.Sprintf(`double("%s")`, strings.NewReplacer("+Inf", "Infinity", "-Inf", "-Infinity").Replace(
			strconv.FormatFloat(d, 'g', -1, 64)))
	}
	text := strconv.FormatFloat(d, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

func span(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign = "-"
	}
	seconds, nanos := int64(d/time.Second), int64(d%time.Second)
	if seconds < 0 {
		seconds = -seconds
	}
	if nanos < 0 {
		nanos = -nanos
	}
	text := fmt.Sprintf("%s%d", sign, seconds)
	if nanos != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%09d", nanos), "0")
	}
	return text + "s"
}

func environment() (*cel.Env, error) {
	options := []cel.EnvOption{
		ext.Strings(), ext.Math(), ext.Encoders(), ext.Bindings(), ext.TwoVarComprehensions(), ext.Lists(),
		cel.OptionalTypes(), cel.EnableIdentifierEscapeSyntax(), cel.DefaultUTCTimeZone(true),
	}
	for name := range variables {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	return cel.NewEnv(options...)
}

func evaluate(env *cel.Env, text string, values map[string]any) (want string, failure string) {
	defer func() {
		if r := recover(); r != nil {
			want, failure = "", fmt.Sprint("panic: ", r)
		}
	}()
	ast, issues := env.Parse(text)
	if issues.Err() != nil {
		return "", issues.Err().Error()
	}
	program, err := env.Program(ast)
	if err != nil {
		return "", err.Error()
	}
	value, _, err := program.Eval(values)
	if err != nil {
		return "", err.Error()
	}
	return literal(value), ""
}

// What cel-go's checker finds; "" where that is nothing.
func check(env *cel.Env, text string) (fault string) {
	defer func() {
		if r := recover(); r != nil {
			fault = ""
		}
	}()
	if _, issues := env.Compile(text); issues.Err() != nil {
		return issues.Err().Error()
	}
	return ""
}

// The order of a map's keys is random in cel-go: what depends on it cannot be compared.
func stable(env *cel.Env, text string, values map[string]any, want string) bool {
	for tries := 0; tries < 12 && strings.ContainsAny(text, "m{"); tries++ {
		if again, _ := evaluate(env, text, values); again != want {
			return false
		}
	}
	return true
}

func main() {
	count := flag.Int("count", 1000, "how many expressions")
	seed := flag.Int64("seed", 1, "of the generator")
	flag.Parse()
	env, err := environment()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	values := map[string]any{}
	literals := map[string]string{}
	for name, v := range variables {
		values[name] = v.value
		literals[name] = v.literal
	}
	generator := newGenerator(*seed)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for range *count {
		text := generator.expression()
		want, failure := evaluate(env, text, values)
		line := map[string]any{"expr": text, "vars": literals}
		if !stable(env, text, values, want) {
			line["unstable"] = true
		} else if failure != "" {
			line["error"] = failure
		} else {
			line["want"] = want
		}
		if fault := check(env, text); fault != "" {
			line["check"] = fault
		}
		if err := encoder.Encode(line); err != nil {
			os.Exit(1)
		}
	}
	if err := out.Flush(); err != nil {
		os.Exit(1)
	}
}
