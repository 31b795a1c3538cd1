package main

import (
	"fmt"
	"math/rand"
	"strings"
)

// A random expression of a wanted type, now and then of another one, so that overload errors are met, too.
type generator struct {
	random *rand.Rand
	names  []string // variables of the macros around
	strict bool     // no operand of another type here
}

func newGenerator(seed int64) *generator {
	return &generator{random: rand.New(rand.NewSource(seed))}
}

// Left out, because the two differ by intent: string() of large and small doubles (cel-go: 1e+06, here 1000000),
// positions behind the end of a text (an error here and in the specification's cases, -1 in cel-go), string() of a
// timestamp with an offset (an instant is printed in UTC here, cel-go remembers the offset).
//
// One part of the grammar: %T is replaced by an expression of the type whose letter follows the percent sign.
var productions = map[byte][]string{
	'b': {"true", "false", "f", "%i < %i", "%i <= %i", "%d > %d", "%u >= %u", "%s < %s", "%i == %i", "%d != %d",
		"%s == %s", "%a == %a", "%a != %a", "%b && %b", "%b || %b", "!%b", "%b ? %b : %b", "%i in %l", "%s in %m",
		"%a in %a", "%s.contains(%s)", "%s.startsWith(%s)", "%s.endsWith(%s)", `%s.matches("l+o?")`,
		`%s.matches("^[a-z]{2,}")`, "%L.all(V, %b)", "%L.exists(V, %b)", "%L.exists_one(V, %b)", "%m.all(V, W, %b)",
		"%L.exists(V, W, %b)", "has(m.a)", "has(m.zz)", "has(%m.b)", "%o.hasValue()", "bool(%s)", "%t < %t", "%p >= %p",
		"math.isNaN(%d)", "math.isInf(%d)", "math.isFinite(%d)", "type(%a) == type(%a)", "%y < %y", "%a < %a"},
	'i': {"0", "1", "2", "-1", "42", "9223372036854775807", "-9223372036854775808", "i", "j", "%i + %i", "%i - %i",
		"%i * %i", "%i / %i", "%i % %i", "-%i", "size(%s)", "%l.size()", "size(%m)", "%y.size()", "int(%d)", "int(%u)",
		"int(%s)", "int(%t)", "%l[%i]", "m.a", "%m[%s]", "%b ? %i : %i", "%s.indexOf(%s)", "%s.lastIndexOf(%s)",
		`(%s + "ab").indexOf(%s, 1)`, `("ab" + %s).lastIndexOf(%s, 1)`, "math.abs(%i)", "math.sign(%i)", "math.bitAnd(%i, %i)",
		"math.bitOr(%i, %i)", "math.bitXor(%i, %i)", "math.bitNot(%i)", "math.bitShiftLeft(%i, %i)",
		"math.bitShiftRight(%i, %i)", "math.greatest(%i, %i)", "math.least(%i, %i, %i)", "%o.orValue(%i)",
		"cel.bind(V, %i, %i)", "%t.getFullYear()", "%t.getMonth()", "%t.getDate()", "%t.getDayOfMonth()",
		"%t.getDayOfWeek()", "%t.getDayOfYear()", "%t.getHours()", "%t.getMinutes()", "%t.getSeconds()",
		"%t.getMilliseconds()", `%t.getHours("+05:30")`, `%t.getDate("Europe/Berlin")`,
		`%t.getHours("America/New_York")`, "%p.getHours()", "%p.getMinutes()", "%p.getSeconds()"},
	'u': {"0u", "1u", "18446744073709551615u", "u", "%u + %u", "%u - %u", "%u * %u", "%u / %u", "%u % %u", "uint(%i)",
		"uint(%d)", "uint(%s)", "%b ? %u : %u", "math.abs(%u)", "math.bitAnd(%u, %u)", "math.bitShiftLeft(%u, %i)",
		"math.bitNot(%u)", "math.greatest(%u, %u)"},
	'd': {"0.0", "1.5", "-2.25", "1e300", "1e-7", "d", "%d + %d", "%d - %d", "%d * %d", "%d / %d", "-%d", "double(%i)",
		"double(%u)", "double(%s)", "%b ? %d : %d", "math.ceil(%d)", "math.floor(%d)", "math.round(%d)",
		"math.trunc(%d)", "math.abs(%d)", "math.sign(%d)", "math.sqrt(%d)", "math.greatest(%d, %d)",
		"math.least(%d, %d)"},
	's': {`""`, `"a"`, `"hello"`, `"1"`, `"-12"`, `"2.5"`, `"true"`, `"ß世"`, "s", "t", "%s + %s", "string(%i)", "string(%u)",
		"string(0.5)", "string(d)", "string(%b)", "string(%y)", "string(%t)", "string(%p)", "string(%s)", "%s.charAt(%i)",
		"%s.substring(%i)", "%s.substring(%i, %i)", "%s.lowerAscii()", "%s.upperAscii()", "%s.trim()", "%s.reverse()",
		"%s.replace(%s, %s)", "%s.replace(%s, %s, %i)", "%S.join()", "%S.join(%s)", "%S[%i]", "%b ? %s : %s",
		`"%%s|%%d".format([%a, %i])`, `"%%.2f %%e".format([%d, %d])`, `"%%x %%X %%o %%b".format([%i, %s, %u, %b])`,
		"base64.encode(%y)", "strings.quote(%s)", "cel.bind(V, %s, V + %s)"},
	'y': {`b""`, `b"abc"`, `b'\xff\x00'`, "y", "bytes(%s)", "%y + %y", "%b ? %y : %y", "base64.decode(%s)",
		"base64.decode(base64.encode(%y))"},
	'l': {"[]", "[%i]", "[%i, %i, %i]", "l", "%l + %l", "%L.map(V, %i)", "%l.filter(V, %b)", "%l.map(V, %b, %i)",
		"%L.transformList(V, W, %i)", "%L.transformList(V, W, %b, %i)", "%b ? %l : %l", "%l.slice(%i, %i)",
		"%l.reverse()", "%l.sort()", "%l.distinct()", "lists.range(3)", "[[%i], %l].flatten()", "%l.sortBy(V, -V)",
		"[?%o, %i]"},
	'S': {"[%s, %s]", "w", "%s.split(%s)", "%s.split(%s, %i)", "%w.map(V, %s)"},
	'w': {"w", `["a", "b"]`, "[%s]"},
	'L': {"%l", "%S", "%m", "[%a, %a]", "%l"},
	'm': {"{}", `{"a": %i}`, `{%s: %i, "q": %i}`, "m", "%m.transformMap(V, W, %i)", "%b ? %m : %m", `{?"a": %o}`,
		"{%i: %a}"},
	'o': {"optional.none()", "optional.of(%i)", "optional.ofNonZeroValue(%i)", "m.?a", "m[?%s]", "%l[?%i]",
		"%o.or(%o)", "%o.optMap(V, %i)", "%o.optFlatMap(V, optional.of(%i))", "%l.first()", "%l.last()"},
	't': {"at", `timestamp("2009-02-13T23:31:30Z")`, `timestamp("1969-12-31T23:59:59.999Z")`, "timestamp(%i)",
		"%t + %p", "%t - %p", `timestamp("0001-01-01T00:00:00Z")`},
	'p': {"p", `duration("1h30m")`, `duration("-2.5s")`, `duration("1ms3us")`, "%p + %p", "%p - %p", "%t - %t",
		`duration("0")`},
	'a': {"%i", "%d", "%s", "%b", "%l", "%m", "%u", "%y", "null", "n", "%t", "%p", "%o", "type(%a)", "dyn(%a)", "[%a]"},
}

// One of these breaks what a grammar would never make.
var splices = []string{"", " ", "(", ")", "[", "]", "{", "}", ",", ".", "?", ":", "!", "-", "1", "0x", "u", "'", `"`, "`",
	"\\", "r", "b", "e1", ".5", "in", "&&", "||", "==", "// x\n", "_", "true", "null", "\n", "%", "*"}

func (g *generator) expression() string {
	const kinds = "bidusylSmotpa"
	text := g.of(kinds[g.random.Intn(len(kinds))], 1+g.random.Intn(4))
	if g.random.Intn(10) == 0 {
		at := g.random.Intn(len(text) + 1)
		cut := min(len(text), at+g.random.Intn(3))
		text = text[:at] + splices[g.random.Intn(len(splices))] + text[cut:]
	}
	return strings.ToValidUTF8(text, "")
}

func (g *generator) of(kind byte, depth int) string {
	if !g.strict && g.random.Intn(40) == 0 {
		kind = "bidusylmotp"[g.random.Intn(11)]
	}
	if len(g.names) > 0 && g.random.Intn(4) == 0 {
		return g.names[g.random.Intn(len(g.names))]
	}
	choices := productions[kind]
	production := choices[g.random.Intn(len(choices))]
	for tries := 0; depth <= 0 && strings.Contains(production, "%") && tries < 20; tries++ {
		production = choices[g.random.Intn(len(choices))]
	}
	if depth < -6 {
		return "1"
	}
	return g.fill(production, depth-1)
}

func (g *generator) fill(production string, depth int) string {
	var out strings.Builder
	outer, strict := g.names, g.strict
	g.strict = strings.Contains(production, "[?") || strings.Contains(production, "{%") ||
		strings.Contains(production, "has(") || strings.Contains(production, ".or(")
	first := fmt.Sprintf("x%d", len(g.names))
	second := fmt.Sprintf("x%d", len(g.names)+1)
	two := strings.Contains(production, "W,")
	for i := 0; i < len(production); i++ {
		c := production[i]
		switch {
		case c == 'V' && i > 0 && strings.ContainsRune("(-, ", rune(production[i-1])):
			out.WriteString(first)
			if len(g.names) == len(outer) {
				g.names = append(append([]string{}, outer...), first)
			}
		case c == 'W' && two:
			out.WriteString(second)
			g.names = append(append([]string{}, outer...), first, second)
		case c == '%' && i+1 < len(production) && production[i+1] == '%':
			out.WriteByte('%')
			i++
		case c == '%' && i+1 < len(production) && production[i+1] != ' ':
			out.WriteString(g.operand(production[i+1], depth))
			i++
		default:
			out.WriteByte(c)
		}
	}
	g.names, g.strict = outer, strict
	return out.String()
}

func (g *generator) operand(kind byte, depth int) string {
	text := g.of(kind, depth)
	if strings.ContainsAny(text, " -?!") {
		return "(" + text + ")"
	}
	return text
}
