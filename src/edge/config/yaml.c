#include "edge/config/yaml.h"

#include <libfyaml.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/config/place.h"
#include "edge/config/substitute.h"

#define KEYS_MAX              1024 /* of one mapping: duplicates are looked for pair by pair */
#define OPEN_MAX              1000 /* libfyaml takes seconds to see that a million do not close */
#define ANCHORS_MAX           1000 /* an alias goes through them */
#define SUBSTITUTED_BYTES_MAX (4U << 20)

struct link {
    struct link *next;
    struct rf_yaml_node *node;
};

/* A mapping or list that is being read. */
struct frame {
    struct rf_yaml_node *node;
    struct link *first, *last;
    size_t count;
    const char *anchor;
};

struct anchor {
    struct anchor *next;
    const char *name;
    struct rf_yaml_node *node;
};

struct builder {
    struct rf_yaml *yaml;
    struct rf_substitution substitution;
    struct frame frames[RF_YAML_DEPTH_MAX];
    size_t depth;
    size_t node_count;
    size_t document_count;
    size_t end; /* of the last token */
    struct anchor *anchors;
    size_t anchor_count;
    bool stopped; /* a limit was passed: the rest is not looked at */
};

static void discard_output(struct fy_diag *diag, void *user, const char *text, size_t size)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)size;
}

static void stop(struct builder *builder, size_t at, const char *message, const char *hint)
{
    rf_complain(builder->yaml, (struct rf_place){.begin = at, .end = at, .hint = hint}, "%s",
                message);
    builder->stopped = true;
}

static struct rf_yaml_node *new_node(struct builder *builder, enum rf_yaml_kind kind, size_t begin,
                                     size_t end)
{
    struct rf_yaml_node *node = rf_arena_alloc_zero(builder->yaml->arena, sizeof *node);

    node->kind = kind;
    node->begin = begin;
    node->end = end;
    if (++builder->node_count > RF_YAML_NODES_MAX)
        stop(builder, begin, "the configuration has more than 100000 values", NULL);
    return node;
}

static const char *token_text(struct builder *builder, struct fy_token *token)
{
    size_t size = 0;
    const char *text = token == NULL ? NULL : fy_token_get_text(token, &size);

    if (text == NULL)
        return NULL;
    return (const char *)rf_arena_copy(builder->yaml->arena, rf_bytes_of(text, size)).data;
}

/* ---- finished nodes ------------------------------------------------------------------------------- */

static void add_anchor(struct builder *builder, const char *name, struct rf_yaml_node *node)
{
    struct anchor *anchor = NULL;

    if (name == NULL)
        return;
    if (++builder->anchor_count > ANCHORS_MAX) {
        stop(builder, node->begin, "the configuration has more than 1000 anchors", NULL);
        return;
    }
    anchor = rf_arena_alloc(builder->yaml->arena, sizeof *anchor);
    *anchor = (struct anchor){.next = builder->anchors, .name = name, .node = node};
    builder->anchors = anchor;
}

static bool expects_key(const struct frame *frame)
{
    return frame->node->kind == RF_YAML_MAP && frame->count % 2 == 0;
}

static void add_to_parent(struct builder *builder, struct rf_yaml_node *node)
{
    struct frame *frame = NULL;
    struct link *link = NULL;

    if (builder->depth == 0) {
        builder->yaml->root = node;
        return;
    }
    frame = &builder->frames[builder->depth - 1];
    if (expects_key(frame) && node->kind != RF_YAML_SCALAR) {
        rf_complain(builder->yaml, rf_place_of(node), "a key must be a text");
        builder->stopped = true;
        return;
    }
    link = rf_arena_alloc(builder->yaml->arena, sizeof *link);
    *link = (struct link){.next = NULL, .node = node};
    if (frame->last == NULL)
        frame->first = link;
    else
        frame->last->next = link;
    frame->last = link;
    frame->count++;
}

static void finish_list(struct builder *builder, struct frame *frame)
{
    const struct rf_yaml_node **items =
        rf_arena_alloc(builder->yaml->arena, frame->count * sizeof(*items));

    for (struct link *link = frame->first; link != NULL; link = link->next)
        items[frame->node->count++] = link->node;
    frame->node->items = items;
}

/* The index of a key, or `count` where it is new. */
static size_t find_key(const struct rf_yaml_node *const *keys, size_t count, struct rf_bytes key)
{
    size_t i = 0;

    while (i < count && !rf_bytes_equal(keys[i]->text, key))
        i++;
    return i;
}

struct pairs {
    const struct rf_yaml_node **keys;
    const struct rf_yaml_node **items;
    size_t count;
};

static void add_own_pairs(struct builder *builder, struct frame *frame, struct pairs *pairs)
{
    for (struct link *link = frame->first; link != NULL; link = link->next->next) {
        const struct rf_yaml_node *key = link->node;
        size_t known = find_key(pairs->keys, pairs->count, key->text);
        if (rf_bytes_equal(key->text, rf_bytes_of_text("<<")) && key->style == RF_YAML_PLAIN)
            continue;
        if (known < pairs->count) {
            struct rf_place place = rf_place_of(key);
            place.hint = "remove one of the two";
            rf_complain(builder->yaml, place, "'%s' is given twice in one mapping",
                        rf_yaml_text(key));
            continue;
        }
        pairs->keys[pairs->count] = key;
        pairs->items[pairs->count++] = link->next->node;
    }
}

/* What the mapping says itself wins over what it merges; the first of several merges wins. */
static void merge(struct builder *builder, const struct rf_yaml_node *from, struct pairs *pairs)
{
    if (from->kind != RF_YAML_MAP) {
        struct rf_place place = rf_place_of(from);
        place.hint = "<<: *name, where name is the anchor of a mapping";
        rf_complain(builder->yaml, place, "only a mapping can be merged with <<");
        return;
    }
    for (size_t i = 0; i < from->count && pairs->count < KEYS_MAX; i++) {
        if (find_key(pairs->keys, pairs->count, from->keys[i]->text) < pairs->count)
            continue;
        pairs->keys[pairs->count] = from->keys[i];
        pairs->items[pairs->count++] = from->items[i];
    }
}

static size_t merged_size(const struct frame *frame)
{
    size_t size = frame->count / 2;

    for (struct link *link = frame->first; link != NULL; link = link->next->next) {
        const struct rf_yaml_node *item = link->next->node;
        if (!rf_bytes_equal(link->node->text, rf_bytes_of_text("<<")))
            continue;
        size += item->kind == RF_YAML_MAP ? item->count : 0;
        for (size_t i = 0; item->kind == RF_YAML_LIST && i < item->count; i++)
            size += item->items[i]->count;
    }
    return size;
}

static void finish_map(struct builder *builder, struct frame *frame)
{
    size_t size = merged_size(frame);
    struct pairs pairs = {0};

    rf_assert(frame->count % 2 == 0);
    /* What is merged is copied: it counts, or a short file could ask for gigabytes. */
    builder->node_count += size - frame->count / 2;
    if (builder->node_count > RF_YAML_NODES_MAX) {
        stop(builder, frame->node->begin, "the configuration has more than 100000 values", NULL);
        return;
    }
    if (size > KEYS_MAX) {
        stop(builder, frame->node->begin, "a mapping has more than 1024 keys", NULL);
        return;
    }
    pairs.keys = rf_arena_alloc(builder->yaml->arena, (size + 1) * sizeof *pairs.keys);
    pairs.items = rf_arena_alloc(builder->yaml->arena, (size + 1) * sizeof *pairs.items);
    add_own_pairs(builder, frame, &pairs);
    for (struct link *link = frame->first; link != NULL; link = link->next->next) {
        const struct rf_yaml_node *item = link->next->node;
        if (!rf_bytes_equal(link->node->text, rf_bytes_of_text("<<")))
            continue;
        if (item->kind != RF_YAML_LIST)
            merge(builder, item, &pairs);
        for (size_t i = 0; item->kind == RF_YAML_LIST && i < item->count; i++)
            merge(builder, item->items[i], &pairs);
    }
    rf_assert(pairs.count <= size);
    frame->node->keys = pairs.keys;
    frame->node->items = pairs.items;
    frame->node->count = pairs.count;
}

/* ---- events --------------------------------------------------------------------------------------- */

static void refuse_tag(struct builder *builder, struct fy_token *tag)
{
    const struct fy_mark *mark = tag == NULL ? NULL : fy_token_start_mark(tag);

    if (mark == NULL)
        return;
    rf_complain(builder->yaml,
                (struct rf_place){.begin = mark->input_pos,
                                  .hint = "remove it: the settings know their types"},
                "YAML tags are not used here");
}

static void on_start(struct builder *builder, enum rf_yaml_kind kind, struct fy_token *start,
                     struct fy_token *anchor)
{
    const struct fy_mark *mark = start == NULL ? NULL : fy_token_start_mark(start);
    size_t begin = mark == NULL ? builder->end : mark->input_pos;

    if (builder->depth == RF_YAML_DEPTH_MAX) {
        stop(builder, begin, "mappings and lists are nested more than 32 deep", NULL);
        return;
    }
    builder->frames[builder->depth++] = (struct frame){
        .node = new_node(builder, kind, begin, begin),
        .anchor = token_text(builder, anchor),
    };
}

static void on_end(struct builder *builder)
{
    struct frame *frame = NULL;

    rf_assert(builder->depth > 0);
    frame = &builder->frames[builder->depth - 1];
    if (frame->node->kind == RF_YAML_MAP)
        finish_map(builder, frame);
    else
        finish_list(builder, frame);
    builder->depth--;
    add_anchor(builder, frame->anchor, frame->node);
    if (!builder->stopped)
        add_to_parent(builder, frame->node);
}

static enum rf_yaml_style style_of(struct fy_token *token)
{
    switch (fy_token_scalar_style(token)) {
    case FYSS_SINGLE_QUOTED:
        return RF_YAML_SINGLE_QUOTED;
    case FYSS_DOUBLE_QUOTED:
        return RF_YAML_DOUBLE_QUOTED;
    case FYSS_LITERAL:
    case FYSS_FOLDED:
        return RF_YAML_BLOCK;
    default:
        return RF_YAML_PLAIN;
    }
}

/* White space around line ends goes; one line end is a space, n of them are n - 1 line ends. */
static size_t fold(struct rf_bytes source, size_t at, size_t end, uint8_t *out, size_t *size)
{
    size_t next = at;
    size_t lines = 0;

    while (next < end && strchr(" \t\r\n", source.data[next]) != NULL)
        lines += source.data[next++] == '\n' ? 1 : 0;
    while (lines == 0 && at < next)
        out[(*size)++] = source.data[at++];
    if (lines == 1)
        out[(*size)++] = ' ';
    for (size_t i = 1; i < lines; i++)
        out[(*size)++] = '\n';
    return next;
}

/* libfyaml 0.7.12 loses text behind doubled quotes that stand side by side, as those do that CEL's empty
 * text needs in YAML. YAML 1.2, section 7.3.2. */
static struct rf_bytes read_single_quoted(struct builder *builder, const struct rf_yaml_node *node)
{
    struct rf_bytes source = builder->yaml->source;
    uint8_t *out = rf_arena_alloc_bytes(builder->yaml->arena, node->end - node->begin + 1);
    size_t size = 0;

    for (size_t at = node->begin; at < node->end;) {
        if (strchr(" \t\r\n", source.data[at]) != NULL) {
            at = fold(source, at, node->end, out, &size);
            continue;
        }
        out[size++] = source.data[at];
        at += source.data[at] == '\'' ? 2 : 1;
    }
    rf_assert(size <= node->end - node->begin);
    out[size] = '\0';
    return rf_bytes_of(out, size);
}

static void read_scalar(struct builder *builder, struct rf_yaml_node *node, struct fy_token *token)
{
    size_t size = 0;
    const char *text = fy_token_get_text(token, &size);
    struct rf_bytes decoded = rf_bytes_of(text == NULL ? "" : text, text == NULL ? 0 : size);

    node->style = style_of(token);
    node->decoded = node->style == RF_YAML_SINGLE_QUOTED
                        ? read_single_quoted(builder, node)
                        : rf_arena_copy(builder->yaml->arena, decoded);
    node->empty = size == 0 && node->style == RF_YAML_PLAIN;
    if (memchr(node->decoded.data, '\0', node->decoded.size) != NULL) {
        rf_complain(builder->yaml, rf_place_of(node), "a text cannot contain a zero byte");
        node->decoded = rf_bytes_of("", 0);
    }
    node->text = node->decoded;
}

static void on_scalar(struct builder *builder, const struct fy_event *event)
{
    struct fy_token *token = event->scalar.value;
    const struct fy_mark *from = token == NULL ? NULL : fy_token_start_mark(token);
    const struct fy_mark *to = token == NULL ? NULL : fy_token_end_mark(token);
    struct rf_yaml_node *node = NULL;
    bool is_key = builder->depth > 0 && expects_key(&builder->frames[builder->depth - 1]);

    refuse_tag(builder, event->scalar.tag);
    node = new_node(builder, RF_YAML_SCALAR, builder->end, builder->end);
    node->empty = true;
    node->text = node->decoded = rf_bytes_of("", 0);
    if (from != NULL && to != NULL) {
        node->begin = from->input_pos;
        node->end = to->input_pos;
        builder->end = node->end;
        read_scalar(builder, node, token);
    }
    rf_assert(node->end <= builder->yaml->source.size);
    if (!is_key)
        rf_substitute(&builder->substitution, node);
    add_anchor(builder, token_text(builder, event->scalar.anchor), node);
    add_to_parent(builder, node);
}

static void on_alias(struct builder *builder, struct fy_token *token)
{
    const struct fy_mark *mark = token == NULL ? NULL : fy_token_start_mark(token);
    size_t begin = mark == NULL ? builder->end : mark->input_pos;
    const char *name = token_text(builder, token);
    const struct anchor *anchor = builder->anchors;

    while (anchor != NULL && name != NULL && strcmp(anchor->name, name) != 0)
        anchor = anchor->next;
    if (anchor == NULL || name == NULL) {
        rf_complain(builder->yaml,
                    (struct rf_place){.begin = begin,
                                      .hint = "an anchor (&name) has to be written above its use; "
                                              "quote a text that starts with *"},
                    "there is no anchor '%s'", name == NULL ? "" : name);
        builder->stopped = true;
        return;
    }
    add_to_parent(builder, anchor->node);
}

static void on_document(struct builder *builder, struct fy_token *start)
{
    const struct fy_mark *mark = start == NULL ? NULL : fy_token_start_mark(start);

    if (++builder->document_count > 1)
        stop(builder, mark == NULL ? builder->end : mark->input_pos,
             "a configuration is one YAML document", "remove the --- and what follows it");
}

static void on_event(struct builder *builder, const struct fy_event *event)
{
    switch (event->type) {
    case FYET_DOCUMENT_START:
        on_document(builder, event->document_start.document_start);
        break;
    case FYET_MAPPING_START:
        refuse_tag(builder, event->mapping_start.tag);
        on_start(builder, RF_YAML_MAP, event->mapping_start.mapping_start,
                 event->mapping_start.anchor);
        break;
    case FYET_SEQUENCE_START:
        refuse_tag(builder, event->sequence_start.tag);
        on_start(builder, RF_YAML_LIST, event->sequence_start.sequence_start,
                 event->sequence_start.anchor);
        break;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        on_end(builder);
        break;
    case FYET_SCALAR:
        on_scalar(builder, event);
        break;
    case FYET_ALIAS:
        on_alias(builder, event->alias.anchor);
        break;
    default:
        break;
    }
}

/* ---- the parser ----------------------------------------------------------------------------------- */

static const char *syntax_hint(const char *message)
{
    if (strstr(message, "tab") != NULL)
        return "indent with spaces";
    if (strstr(message, "plain") != NULL || strstr(message, "nested block mapping") != NULL)
        return "quote a text that contains ': ' or ' #', or that starts with a special character";
    if (strstr(message, "flow") != NULL)
        return "inside { } and [ ] quote a text that contains , [ ] { or }";
    if (strstr(message, "escape") != NULL)
        return "single quotes take a backslash as it is";
    return NULL;
}

static size_t offset_of(struct rf_bytes source, int line, int column)
{
    size_t at = 0;

    for (int i = 1; i < line && at < source.size; i++) {
        const uint8_t *next = memchr(source.data + at, '\n', source.size - at);
        at = next == NULL ? source.size : (size_t)(next - source.data) + 1;
    }
    for (int i = 1; i < column && at < source.size && source.data[at] != '\n'; i++) {
        at++;
        while (at < source.size && (source.data[at] & 0xC0U) == 0x80U)
            at++;
    }
    return at;
}

static void report_syntax(struct builder *builder, struct fy_diag *diag)
{
    void *iterator = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &iterator);
    size_t at = builder->end;
    const char *message = "it cannot be read from here on";

    if (error != NULL) {
        at = offset_of(builder->yaml->source, error->line, error->column);
        message = error->msg;
    }
    rf_complain(builder->yaml, (struct rf_place){.begin = at, .hint = syntax_hint(message)},
                "this is not YAML: %s", message);
}

static bool run_parser(struct builder *builder, struct fy_parser *parser, struct fy_diag *diag)
{
    struct rf_bytes source = builder->yaml->source;
    struct fy_event *event = NULL;

    if (fy_parser_set_string(parser, (const char *)source.data, source.size) != 0)
        return false;
    while (!builder->stopped && (event = fy_parser_parse(parser)) != NULL) {
        on_event(builder, event);
        fy_parser_event_free(parser, event);
    }
    if (!builder->stopped && fy_parser_get_stream_error(parser)) {
        report_syntax(builder, diag);
        builder->stopped = true;
    }
    return !builder->stopped;
}

/* YAML's c-printable (section 5.1): of control characters the tab and line ends alone. */
static bool is_control(struct rf_bytes source, size_t at)
{
    uint8_t byte = source.data[at];

    if (byte == '\t' || byte == '\n' || byte == '\r')
        return false;
    if (byte == 0xC2 && at + 1 < source.size)
        return source.data[at + 1] < 0xA0 && source.data[at + 1] != 0x85;
    return byte < 0x20 || byte == 0x7F;
}

static bool refuse_bytes(const struct rf_yaml *yaml)
{
    struct rf_bytes source = yaml->source;
    size_t at = 0;
    int open_count = 0;

    if (source.size > RF_YAML_SIZE_MAX) {
        rf_complain(yaml, (struct rf_place){0}, "the configuration is larger than 1 MiB");
        return true;
    }
    if (!rf_bytes_is_utf8(source)) {
        rf_complain(yaml, (struct rf_place){.hint = "save it as UTF-8"},
                    "the configuration is not UTF-8");
        return true;
    }
    while (at < source.size && !is_control(source, at) && open_count <= OPEN_MAX) {
        open_count += source.data[at] == '[' || source.data[at] == '{' ? 1 : 0;
        open_count -= source.data[at] == ']' || source.data[at] == '}' ? 1 : 0;
        at++;
    }
    if (open_count > OPEN_MAX)
        rf_complain(yaml, (struct rf_place){.begin = at - 1},
                    "too many [ and { that are not closed");
    else if (at < source.size)
        rf_complain(yaml, (struct rf_place){.begin = at, .hint = "remove it"},
                    "a control character (0x%02x)",
                    source.data[at] == 0xC2 ? source.data[at + 1] : source.data[at]);
    return at < source.size || open_count > OPEN_MAX;
}

bool rf_yaml_parse(struct rf_yaml *yaml, rf_variable_find *variable, void *variable_self)
{
    struct builder builder = {.yaml = yaml};
    struct fy_diag_cfg diag_config;
    struct fy_diag *diag = NULL;
    struct fy_parser *parser = NULL;
    bool ok = false;

    yaml->root = NULL;
    if (refuse_bytes(yaml))
        return false;
    builder.substitution = (struct rf_substitution){
        .yaml = yaml, .variable = variable, .self = variable_self, .room = SUBSTITUTED_BYTES_MAX};
    fy_diag_cfg_default(&diag_config);
    diag_config.output_fn = discard_output;
    diag_config.colorize = false;
    diag = fy_diag_create(&diag_config);
    rf_assert(diag != NULL);
    fy_diag_set_collect_errors(diag, true);
    parser = fy_parser_create(&(struct fy_parse_cfg){
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_MMAP_OPT, .diag = diag});
    rf_assert(parser != NULL);
    ok = run_parser(&builder, parser, diag);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    if (!ok)
        yaml->root = NULL;
    return ok;
}

/* ---- reading the tree ----------------------------------------------------------------------------- */

const struct rf_yaml_node *rf_yaml_find(const struct rf_yaml_node *map, const char *key)
{
    size_t i = 0;

    if (map == NULL || map->kind != RF_YAML_MAP)
        return NULL;
    i = find_key(map->keys, map->count, rf_bytes_of_text(key));
    return i < map->count ? map->items[i] : NULL;
}

const char *rf_yaml_key(const struct rf_yaml_node *map, size_t i)
{
    rf_assert(map->kind == RF_YAML_MAP);
    rf_assert(i < map->count);
    return (const char *)map->keys[i]->text.data;
}

const char *rf_yaml_text(const struct rf_yaml_node *scalar)
{
    rf_assert(scalar->kind == RF_YAML_SCALAR);
    return (const char *)scalar->text.data;
}

const char *rf_yaml_kind_name(const struct rf_yaml_node *node)
{
    if (node->kind == RF_YAML_MAP)
        return "a mapping";
    if (node->kind == RF_YAML_LIST)
        return "a list";
    if (node->text.size == 0)
        return node->empty ? "nothing" : "an empty text";
    return "a text";
}
