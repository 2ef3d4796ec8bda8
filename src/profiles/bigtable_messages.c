/* SPDX-License-Identifier: MPL-2.0 */
/* Structs of protobuf-c borrow what they point to: the casts drop a const that it does not have. */
#include "profiles/bigtable_messages.h"

#include "net/grpc.h"
#include "profiles/bigtable.pb-c.h"

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData bytes_of(struct span bytes)
{
    return (ProtobufCBinaryData){.len = bytes.len, .data = (uint8_t *)(uintptr_t)bytes.ptr};
}

static int pack(struct buf *out, const ProtobufCMessage *message, struct err *err)
{
    const size_t len = protobuf_c_message_get_packed_size(message);
    int r = grpc_frame_begin(out, err);
    if (r == 0)
        r = buf_reserve(out, len, err);
    if (r < 0)
        return r;
    out->len += protobuf_c_message_pack(message, out->data + out->len);
    return grpc_frame_end(out, err);
}

int bigtable_pack_get_table(struct buf *out, const char *table_name, struct err *err)
{
    Bigtable__GetTableRequest request = BIGTABLE__GET_TABLE_REQUEST__INIT;
    request.name = text_of(table_name);
    request.view = 1;
    return pack(out, &request.base, err);
}

int bigtable_pack_create_table(struct buf *out, const char *parent, const char *table_id,
                               struct err *err)
{
    Bigtable__Duration age = BIGTABLE__DURATION__INIT;
    age.seconds = INT64_C(90) * 86400;
    Bigtable__GcRule old = BIGTABLE__GC_RULE__INIT, more = BIGTABLE__GC_RULE__INIT,
                     either = BIGTABLE__GC_RULE__INIT;
    old.rule_case = BIGTABLE__GC_RULE__RULE_MAX_AGE;
    old.max_age = &age;
    more.rule_case = BIGTABLE__GC_RULE__RULE_MAX_NUM_VERSIONS;
    more.max_num_versions = 1;
    Bigtable__GcRule *rules[] = {&old, &more};
    Bigtable__GcRule__Union any = BIGTABLE__GC_RULE__UNION__INIT;
    any.rules = rules;
    any.n_rules = ARRAY_LEN(rules);
    either.rule_case = BIGTABLE__GC_RULE__RULE_UNION;
    either.union_ = &any;
    Bigtable__ColumnFamily family = BIGTABLE__COLUMN_FAMILY__INIT;
    family.gc_rule = &either;
    Bigtable__ColumnFamilyEntry entry = BIGTABLE__COLUMN_FAMILY_ENTRY__INIT;
    entry.key = text_of(PROFILES_FAMILY);
    entry.value = &family;
    Bigtable__ColumnFamilyEntry *entries[] = {&entry};
    Bigtable__Table table = BIGTABLE__TABLE__INIT;
    table.column_families = entries;
    table.n_column_families = ARRAY_LEN(entries);
    Bigtable__CreateTableRequest request = BIGTABLE__CREATE_TABLE_REQUEST__INIT;
    request.parent = text_of(parent);
    request.table_id = text_of(table_id);
    request.table = &table;
    return pack(out, &request.base, err);
}

/* The structs of one row. */
struct row_message {
    Bigtable__MutateRowsEntry entry;
    Bigtable__Mutation mutation, *mutations[1];
    Bigtable__SetCell cell;
    Bigtable__DeleteFromRow deletion;
};

static void fill(struct row_message *m, const struct batch *batch, const struct batch_row *row)
{
    bigtable__mutate_rows_entry__init(&m->entry);
    m->entry.row_key = bytes_of(batch_key(batch, row));
    m->entry.n_mutations = 1;
    m->entry.mutations = m->mutations;
    m->mutations[0] = &m->mutation;
    bigtable__mutation__init(&m->mutation);
    if (row->op != ROW_PUT) {
        bigtable__delete_from_row__init(&m->deletion);
        m->mutation.mutation_case = BIGTABLE__MUTATION__MUTATION_DELETE_FROM_ROW;
        m->mutation.delete_from_row = &m->deletion;
        return;
    }
    bigtable__set_cell__init(&m->cell);
    m->cell.family_name = text_of(PROFILES_FAMILY);
    m->cell.column_qualifier = bytes_of(span_str(PROFILES_QUALIFIER));
    m->cell.timestamp_micros = row->timestamp_us;
    m->cell.value = bytes_of(batch_value(batch, row));
    m->mutation.mutation_case = BIGTABLE__MUTATION__MUTATION_SET_CELL;
    m->mutation.set_cell = &m->cell;
}

int bigtable_pack_mutate_rows(struct buf *out, const char *table_name, const struct batch *batch,
                              const uint32_t *which, size_t n, struct err *err)
{
    Bigtable__MutateRowsRequest request = BIGTABLE__MUTATE_ROWS_REQUEST__INIT;
    struct row_message *messages = calloc(n, sizeof *messages);
    Bigtable__MutateRowsEntry **entries = calloc(n, sizeof *entries);
    int r = 0;
    if (messages && entries) {
        for (size_t i = 0; i < n; i++) {
            fill(&messages[i], batch, &batch->rows[which[i]]);
            entries[i] = &messages[i].entry;
        }
        request.table_name = text_of(table_name);
        request.entries = entries;
        request.n_entries = n;
        r = pack(out, &request.base, err);
    } else {
        r = err_set(err, E_NOMEM, 0, "no memory for a request");
    }
    free(entries);
    free(messages);
    return r;
}

/* rows of a request, with the filter for the newest cell of the one column */
static int pack_read(struct buf *out, const char *table_name, Bigtable__RowSet *rows, int64_t limit,
                     struct err *err)
{
    Bigtable__RowFilter family = BIGTABLE__ROW_FILTER__INIT, column = BIGTABLE__ROW_FILTER__INIT,
                        newest = BIGTABLE__ROW_FILTER__INIT, all = BIGTABLE__ROW_FILTER__INIT;
    family.filter_case = BIGTABLE__ROW_FILTER__FILTER_FAMILY_NAME_REGEX_FILTER;
    family.family_name_regex_filter = text_of(PROFILES_FAMILY);
    column.filter_case = BIGTABLE__ROW_FILTER__FILTER_COLUMN_QUALIFIER_REGEX_FILTER;
    column.column_qualifier_regex_filter = bytes_of(span_str(PROFILES_QUALIFIER));
    newest.filter_case = BIGTABLE__ROW_FILTER__FILTER_CELLS_PER_COLUMN_LIMIT_FILTER;
    newest.cells_per_column_limit_filter = 1;
    Bigtable__RowFilter *filters[] = {&family, &column, &newest};
    Bigtable__RowFilter__Chain chain = BIGTABLE__ROW_FILTER__CHAIN__INIT;
    chain.filters = filters;
    chain.n_filters = ARRAY_LEN(filters);
    all.filter_case = BIGTABLE__ROW_FILTER__FILTER_CHAIN;
    all.chain = &chain;
    Bigtable__ReadRowsRequest request = BIGTABLE__READ_ROWS_REQUEST__INIT;
    request.table_name = text_of(table_name);
    request.rows = rows;
    request.filter = &all;
    request.rows_limit = limit;
    return pack(out, &request.base, err);
}

int bigtable_pack_read_row(struct buf *out, const char *table_name, struct span key,
                           struct err *err)
{
    ProtobufCBinaryData keys[] = {bytes_of(key)};
    Bigtable__RowSet rows = BIGTABLE__ROW_SET__INIT;
    rows.row_keys = keys;
    rows.n_row_keys = ARRAY_LEN(keys);
    return pack_read(out, table_name, &rows, 1, err);
}

int bigtable_pack_read_rows(struct buf *out, const char *table_name, struct span behind,
                            int64_t limit, struct err *err)
{
    Bigtable__RowRange range = BIGTABLE__ROW_RANGE__INIT, *ranges[] = {&range};
    Bigtable__RowSet rows = BIGTABLE__ROW_SET__INIT;
    range.start_key_open = bytes_of(behind);
    rows.row_ranges = ranges;
    rows.n_row_ranges = ARRAY_LEN(ranges);
    return pack_read(out, table_name, behind.len > 0 ? &rows : NULL, limit, err);
}
