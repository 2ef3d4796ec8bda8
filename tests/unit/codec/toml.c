/* SPDX-License-Identifier: MPL-2.0 */
/* The examples and rules of https://toml.io/en/v1.0.0, one after the other. */
#include "codec/toml.h"

#include "base/buf.h"
#include "testing.h"

#include <inttypes.h>
#include <math.h>

static void put(struct buf *out, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void put(struct buf *out, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    assert_int_equal(buf_append(out, text, (size_t)n, NULL), 0);
}

/* The tree as one line: {a=1 b="x" c=[true 1.5] t=<1979-05-27>}. */
static void show(struct buf *out, const struct toml_value *v)
{
    const char *before = "";
    switch (v->kind) {
    case TOML_STRING:
        put(out, "\"%s\"", v->text);
        break;
    case TOML_TIME:
        put(out, "<%s>", v->text);
        break;
    case TOML_INTEGER:
        put(out, "%" PRId64, v->integer);
        break;
    case TOML_REAL:
        put(out, isnan(v->real) ? "nan" : "%gf", v->real);
        break;
    case TOML_BOOL:
        put(out, v->boolean ? "true" : "false");
        break;
    default:
        put(out, v->kind == TOML_TABLE ? "{" : "[");
        for (const struct toml_value *m = v->first; m; m = m->next, before = " ") {
            put(out, "%s%s%s", before, m->key ? m->key : "", m->key ? "=" : "");
            show(out, m);
        }
        put(out, v->kind == TOML_TABLE ? "}" : "]");
    }
}

static void reads_as(const char *text, const char *shown)
{
    CLEANUP(toml_freep) struct toml *toml = NULL;
    struct err err = {0};
    struct buf out = BUF_INIT(1 << 20);
    if (toml_parse(&toml, span_str(text), "t", &err) != 0)
        fail_msg("%s: %s", text, err.text);
    show(&out, toml_root(toml));
    put(&out, "%c", '\0');
    assert_string_equal((const char *)out.data, shown);
    buf_deinit(&out);
}

static void is_refused(const char *text, const char *why)
{
    struct toml *toml = NULL;
    struct err err = {0};
    if (toml_parse(&toml, span_str(text), "t", &err) == 0)
        fail_msg("was read: %s", text);
    assert_int_equal(err.code, E_FORMAT);
    if (!strstr(err.text, why))
        fail_msg("%s\n: %s\n, not: %s", text, err.text, why);
}

#define GOOD(...) good(((const char *const[]){__VA_ARGS__, NULL}))
static void good(const char *const *pairs)
{
    for (; *pairs; pairs += 2)
        reads_as(pairs[0], pairs[1]);
}

#define BAD(WHY, ...) bad((WHY), ((const char *const[]){__VA_ARGS__, NULL}))
static void bad(const char *why, const char *const *texts)
{
    for (; *texts; texts++)
        is_refused(*texts, why);
}

static void comments_and_lines(void **state)
{
    GOOD("", "{}", "# all\n", "{}", "a=1#x", "{a=1}", "\357\273\277a=1", "{a=1}",
         "a=1\r\n\r\nb=2\r\n", "{a=1 b=2}", "a = \"# no comment\" # one", "{a=\"# no comment\"}",
         "#\ttab", "{}");
    BAD("line 2: there is more on the line", "\na=1 b=2", "x=1\n[a.b] c=1\n", "\na=1\r",
        "\na=1\rb=2");
    BAD("control character", "# \x01", "a=1 # \x7f", "# x\ry");
    BAD("line 3: not UTF-8", "a=1\n\nb=\"\xff\"");
    BAD("line 1", "a", "a=", "= 1", "a = # x", "\f");
    (void)state;
}

static void keys(void **state)
{
    GOOD("key=1\nbare_key=2\nbare-key=3\n1234=4", "{key=1 bare_key=2 bare-key=3 1234=4}",
         "\"127.0.0.1\"=1\n'quoted \"x\"'=2\n\"\"=3", "{127.0.0.1=1 quoted \"x\"=2 =3}",
         "a.b.c=1\na . \"b\" . d=2", "{a={b={c=1 d=2}}}", "3.14=\"pi\"", "{3={14=\"pi\"}}",
         "a.b=1\nc=2\na.d=3", "{a={b=1 d=3} c=2}", "\"\\u00e9\"=1", "{\xc3\xa9=1}");
    BAD("is set twice (see line 1)", "a=1\na=2", "a=1\n\"a\"=2", "a.b=1\na.b=2", "a.b=1\na=2");
    BAD("defined already (line 1)", "a=1\na.b=2", "a=[]\na.b=1", "a={}\na.b=1", "a={x=1}\n[a.b]");
    BAD("expected a key", "a.=1", ".a=1", "a..b=1", "\xc3\xa9=1", "[a.]", "[]", "[[]]", "{}=1");
    BAD("may not have several lines", "\"\"\"a\"\"\"=1", "'''a'''=1");
    (void)state;
}

static void basic_strings(void **state)
{
    GOOD("a=\"x \\\"q\\\" \\b\\t\\n\\f\\r\\\\\"", "{a=\"x \"q\" \b\t\n\f\r\\\"}",
         "a=\"\\u00E9\\U0001F600\\u0041\"", "{a=\"\303\251\360\237\230\200A\"}", "a=\"tab\there\"",
         "{a=\"tab\there\"}", "a=\"\"", "{a=\"\"}");
    BAD("no escape", "a=\"\\x41\"", "a=\"\\e\"", "a=\"\\ \"", "a=\"\\'\"", "a=\"\\\nb\"");
    BAD("hexadecimal", "a=\"\\u12\"", "a=\"\\u12G4\"", "a=\"\\U0001F60\"");
    BAD("no Unicode", "a=\"\\uD800\"", "a=\"\\U00110000\"", "a=\"\\uDFFF\"");
    BAD("NUL", "a=\"\\u0000\"", "a=\"\\U00000000\"");
    BAD("control", "a=\"\x01\"", "a=\"\x7f\"", "a='\x02'");
    BAD("does not end on its line", "a=\"x\n\"", "a='x\n'", "a=\"x\r\n\"");
    BAD("does not end", "a=\"x", "a='x", "a=\"x\\\"", "a=\"\"\"x", "a='''x''", "a=\"");
    (void)state;
}

static void strings_of_several_lines(void **state)
{
    GOOD("a=\"\"\"\nRoses\nViolets\"\"\"", "{a=\"Roses\nViolets\"}", "a=\"\"\"\r\nx\r\ny\"\"\"",
         "{a=\"x\ny\"}", "a=\"\"\"The \\\n\n   fox \\  \n\tjumps.\\\n   \"\"\"",
         "{a=\"The fox jumps.\"}", "a=\"\"\"q \"\" q\"\"\"\"\"", "{a=\"q \"\" q\"\"\"}",
         "a=\"\"\"x\"\"\"\"", "{a=\"x\"\"}", "a=\"\"\"\\\"\"\"\\\" \\u0041\"\"\"",
         "{a=\"\"\"\"\" A\"}", "a=\"\"\"\"\"\"", "{a=\"\"}", "a='''\nraw \\n 'q' ''\n'''",
         "{a=\"raw \\n 'q' ''\n\"}", "a='C:\\x'", "{a=\"C:\\x\"}", "a='''x''''' # y", "{a=\"x''\"}",
         "a='''''\n''' # y\nb=1", "{a=\"''\n\" b=1}", "a=\"\"\"a\\\n b\"\"\"\nb=[1\n]",
         "{a=\"ab\" b=[1]}");
    BAD("more on the line", "a=\"\"\"x\"\"\"\"\"\"", "a='''x''''''");
    BAD("line 4: there is more", "a=\"\"\"x\n\\\n \n\"\"\" y");
    BAD("carriage return", "a=\"\"\"x\ry\"\"\"", "a='''x\r'''");
    BAD("no escape", "a=\"\"\"x\\ y\"\"\"");
    (void)state;
}

static void integers(void **state)
{
    GOOD("a=[+99,42,0,-17,-0,+0,1_000,5_349_221,1_2_3]", "{a=[99 42 0 -17 0 0 1000 5349221 123]}",
         "a=[0xDEADBEEF,0xdead_beef,0o01234567,0b1101_0110,0x0]",
         "{a=[3735928559 3735928559 342391 214 0]}",
         "a=[9223372036854775807,-9223372036854775808,0x7fffffffffffffff]",
         "{a=[9223372036854775807 -9223372036854775808 9223372036854775807]}");
    BAD("more than 64 bits", "a=9223372036854775808", "a=-9223372036854775809",
        "a=0x8000000000000000", "a=0o1000000000000000000000");
    BAD("no number", "a=01", "a=-01", "a=1_", "a=_1", "a=1__0", "a=+0x1", "a=-0b1", "a=0x",
        "a=0x_1", "a=0x1_", "a=0x1__2", "a=0o8", "a=0b2", "a=0X1", "a=--1", "a=+", "a=1a", "a=x",
        "a=-", "a=0_0");
    (void)state;
}

static void reals(void **state)
{
    GOOD("a=[+1.0,3.1415,-0.01,5e+22,1e06,-2E-2,6.626e-34,224_617.445_991,-0.0,1e1_0]",
         "{a=[1f 3.1415f -0.01f 5e+22f 1e+06f -0.02f 6.626e-34f 224617f -0f 1e+10f]}",
         "a=[inf,+inf,-inf,nan,+nan,-nan]", "{a=[inff inff -inff nan nan nan]}");
    BAD("no number", "a=.7", "a=7.", "a=3.e+20", "a=1e", "a=1e+", "a=01.5", "a=1_.5", "a=1._5",
        "a=1.5_", "a=1e_1", "a=1e1_", "a=Inf", "a=NaN", "a=infinity", "a=1.2.3", "a=1e1.0",
        "a=++inf");
    BAD("too large", "a=1e999", "a=-1e999");
    (void)state;
}

static void booleans_and_times(void **state)
{
    GOOD("a=[true,false]", "{a=[true false]}", "a=[1979-05-27T07:32:00Z,1979-05-27t00:32:00-07:00]",
         "{a=[<1979-05-27T07:32:00Z> <1979-05-27t00:32:00-07:00>]}",
         "a=1979-05-27 00:32:00.999999+23:59", "{a=<1979-05-27 00:32:00.999999+23:59>}",
         "a=[1979-05-27T07:32:00,1979-05-27, 07:32:00,00:32:00.5,1979-05-27 ]",
         "{a=[<1979-05-27T07:32:00> <1979-05-27> <07:32:00> <00:32:00.5> <1979-05-27>]}",
         "a=2024-02-29 # leap\nb=1972-06-30T23:59:60z",
         "{a=<2024-02-29> b=<1972-06-30T23:59:60z>}");
    BAD("no such date or time", "a=2023-02-29", "a=1900-02-29", "a=2023-13-01", "a=2023-00-01",
        "a=2023-04-31", "a=2023-04-00", "a=2023-4-01", "a=2023-04-01T", "a=2023-04-01T25:00:00",
        "a=2023-04-01T24:00:00", "a=2023-04-01T00:60:00", "a=2023-04-01T00:00:61",
        "a=2023-04-01T00:00", "a=2023-04-01T00:00:00.", "a=2023-04-01T00:00:00+24:00",
        "a=2023-04-01T00:00:00+1:00", "a=2023-04-01T00:00:00Zz", "a=07:32", "a=24:00:00",
        "a=07:32:00Z", "a=2023-04-01x", "a=2023-04-01 00:00");
    BAD("no number", "a=True", "a=TRUE", "a=falsey", "a=20230401-01", "a=7:32:00");
    BAD("more on the line", "a=true false", "a=2023-04-01 x");
    (void)state;
}

static void arrays(void **state)
{
    GOOD("a=[]", "{a=[]}", "a=[1,'x',[2,[]],{b=1},]", "{a=[1 \"x\" [2 []] {b=1}]}",
         "a = [ # one\n 1 , # two\n\n 2\n # three\n , ]\nb=1", "{a=[1 2] b=1}");
    BAD("expected", "a=[1 2]", "a=[,]", "a=[1,,2]", "a=[", "a=[1", "a=[1,", "a=[1}", "a=]",
        "a=[[1]");
    (void)state;
}

static void inline_tables(void **state)
{
    GOOD("a={}", "{a={}}", "a={ x = 1, y = \"z\" }", "{a={x=1 y=\"z\"}}", "a={b.c=1,b.d=2}",
         "{a={b={c=1 d=2}}}", "a={b=[\n1,\n2]}", "{a={b=[1 2]}}", "a={b={c={}}}", "{a={b={c={}}}}");
    BAD("expected", "a={x=1,}", "a={x=1 y=2}", "a={\nx=1}", "a={x=1\n}", "a={,}", "a={x=1,\ny=2}",
        "a={", "a={x=1");
    BAD("is set twice", "a={x=1,x=2}", "a={b.c=1,b=2}", "a={}\na={}");
    BAD("may not be added to", "a={b=1}\na.c=1", "a={b={}}\n[a.b.c]", "a={b={x=1},b.y=2}",
        "a={b.c=1}\n[a.b.d]", "a=[{}]\n[a.b]");
    BAD("is defined already", "a={}\n[a]", "a=[{}]\n[[a]]", "a={}\n[[a]]");
    (void)state;
}

static void tables(void **state)
{
    GOOD("[a]\nx=1\n[b]\n[a.c]\ny=2", "{a={x=1 c={y=2}} b={}}", "[ a . \"b.c\" ]#x\nd=1",
         "{a={b.c={d=1}}}", "[x.y.z]\n[x]\na=1", "{x={y={z={}} a=1}}", "r=1\n[t]\n", "{r=1 t={}}",
         "[fruit]\napple.color=1\napple.taste.sweet=true\n[fruit.apple.texture]\ns=1",
         "{fruit={apple={color=1 taste={sweet=true} texture={s=1}}}}", "[a]\n[a.b]\n[c]\n[a.d]",
         "{a={b={} d={}} c={}}");
    BAD("is defined already", "[a]\n[a]", "[a]\nb=1\n[a.b]", "[a.b]\n[a]\n[a.b]",
        "[fruit]\napple.color=1\n[fruit.apple]",
        "[fruit]\napple.taste.sweet=1\n[fruit.apple.taste]", "a=1\n[a]", "a.b=1\n[a]", "[a]\n[a]");
    BAD("may not be added to", "[a.b.c]\nz=9\n[a]\nb.c.t=1", "[a.b.c.d]\nz=9\n[a]\nb.c.d.k.t=1",
        "[a.b]\n[a]\nb.c=1", "a=1\n[a.b]");
    BAD("is set twice", "[a.b]\n[a]\nb=1");
    BAD("expected", "[a", "[a b]", "[a\n]", "[]]");
    (void)state;
}

static void arrays_of_tables(void **state)
{
    GOOD("[[p]]\nn=1\n[[p]]\n[[p]]\nn=3", "{p=[{n=1} {} {n=3}]}",
         "[[f]]\nn=1\n[f.p]\nc=1\n[[f.v]]\nn=2\n[[f.v]]\n[[f]]\n[[f.v]]\n[f.p]",
         "{f=[{n=1 p={c=1} v=[{n=2} {}]} {v=[{}] p={}}]}", "[[a.b]]\n[a]\nc=1", "{a={b=[{}] c=1}}");
    BAD("is defined already", "[f.p]\nc=1\n[[f]]", "[[a]]\n[a]", "a=[]\n[[a]]", "[a]\n[[a]]",
        "[[f]]\n[[f.v]]\n[f.v]", "[[f]]\n[f.p]\n[[f.p]]", "[[a.b]]\n[a.b]");
    BAD("may not be added to", "[[a]]\n[b]\n[c]\n[x]\na=1\n[x.a.b]", "[[a.b]]\n[a]\nb.c=1");
    BAD("expected", "[[a]", "[[a] ]", "[ [a]]");
    (void)state;
}

static void there_are_limits(void **state)
{
    struct buf text = BUF_INIT(4 << 20);
    struct toml *toml = NULL;
    struct err err = {0};
    for (int i = 0; i < TOML_MAX_VALUES; i++)
        put(&text, "k%d=%d\n", i, i);
    assert_int_equal(toml_parse(&toml, buf_span(&text), "t", &err), 0);
    assert_int_equal(toml_member(toml_root(toml), "k9999")->integer, 9999);
    assert_null(toml_member(toml_root(toml), "k"));
    assert_null(toml_member(toml_member(toml_root(toml), "k1"), "k"));
    toml_free(toml);
    put(&text, "x=1");
    assert_int_equal(toml_parse(&toml, buf_span(&text), "t", &err), E_FORMAT);
    assert_string_equal(err.text, "t: line 10001: there are more than 10000 values");

    char deep[256] = "a=";
    for (int i = 0; i < TOML_MAX_DEPTH - 1; i++)
        deep[2 + i] = '[';
    is_refused(deep, "expected");
    deep[1 + TOML_MAX_DEPTH] = '[';
    is_refused(deep, "nested more than 32");
    deep[0] = '\0';
    for (int i = 0; i <= TOML_MAX_DEPTH; i++)
        (void)snprintf(deep + strlen(deep), sizeof deep - strlen(deep), "%sa", i == 0 ? "[" : ".");
    is_refused(deep, "nested more than 32");

    put(&text, "%*s", 200, "");
    while (text.len <= TOML_MAX_BYTES)
        put(&text, "%*s\n", 500, "");
    assert_int_equal(toml_parse(&toml, buf_span(&text), "t", &err), E_FORMAT);
    assert_string_equal(err.text, "t: longer than 1048576 bytes");
    buf_deinit(&text);
    char digits[400] = "a=1";
    memset(digits + 3, '0', 300);
    is_refused(digits, "longer than 255");
    (void)state;
}

static void lines_are_known(void **state)
{
    struct toml *toml = NULL;
    assert_int_equal(toml_parse(&toml, span_str("a=1\n[t]\nb='''\n\n'''\nc=[1,\n2]\n"), "t", NULL),
                     0);
    const struct toml_value *t = toml_member(toml_root(toml), "t");
    assert_int_equal(toml_member(toml_root(toml), "a")->line, 1);
    assert_int_equal(t->line, 2);
    assert_int_equal(toml_member(t, "b")->line, 3);
    assert_int_equal(toml_member(t, "c")->line, 6);
    assert_int_equal(toml_member(t, "c")->first->next->line, 7);
    toml_free(toml);
    (void)state;
}

static void errors_show_no_values(void **state)
{
    struct toml *toml = NULL;
    struct err err = {0};
    static const char *const texts[] = {"password=s3cret", "password=\"s3cret\\q\"",
                                        "password=\"s3cret", "password=\"x\" s3cret",
                                        "password=[\"s3cret\" 1]"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(toml_parse(&toml, span_str(texts[i]), "t", &err), E_FORMAT);
        assert_null(strstr(err.text, "s3cret"));
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_lines), cmocka_unit_test(keys),
        cmocka_unit_test(basic_strings),      cmocka_unit_test(strings_of_several_lines),
        cmocka_unit_test(integers),           cmocka_unit_test(reals),
        cmocka_unit_test(booleans_and_times), cmocka_unit_test(arrays),
        cmocka_unit_test(inline_tables),      cmocka_unit_test(tables),
        cmocka_unit_test(arrays_of_tables),   cmocka_unit_test(there_are_limits),
        cmocka_unit_test(lines_are_known),    cmocka_unit_test(errors_show_no_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
