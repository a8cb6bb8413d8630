#include "scenarios/quote.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"
#include "scenarios/tree.h"

/* The next code point of valid UTF-8; moves `text` behind it. */
static unsigned next_point(const unsigned char **text)
{
    const unsigned char *at = *text;
    unsigned point = at[0];
    int more = point >= 0xf0 ? 3 : point >= 0xe0 ? 2 : point >= 0xc0 ? 1 : 0;
    if (more > 0)
        point &= 0x3fu >> more;
    ++*text;
    for (int i = 0; i < more && (**text & 0xc0) == 0x80; i++)
        point = point << 6 | (*(*text)++ & 0x3fu);
    return point;
}

/* What YAML takes as it stands inside double quotes, and gives back unchanged. */
static bool is_printable(unsigned point)
{
    if (point < 0x20 || point == '"' || point == '\\')
        return false;
    if (point >= 0x7f && point < 0xa0)
        return false;
    if (point == 0x2028 || point == 0x2029 || point == 0xfeff)
        return false;
    return (point & 0xfffe) != 0xfffe;
}

const char *quote_next(const char **at, char piece[QUOTE_PIECE_SIZE])
{
    const unsigned char *from = (const unsigned char *)*at, *to = from;
    piece[0] = '\0';
    if (*from == '\0')
        return piece;
    unsigned point = next_point(&to);
    if (is_printable(point))
        snprintf(piece, QUOTE_PIECE_SIZE, "%.*s", (int)(to - from), *at);
    else if (point == '"' || point == '\\')
        snprintf(piece, QUOTE_PIECE_SIZE, "\\%c", (char)point);
    else if (point == '\n')
        snprintf(piece, QUOTE_PIECE_SIZE, "\\n");
    else
        snprintf(piece, QUOTE_PIECE_SIZE, "\\U%08X", point);
    *at = (const char *)to;
    return piece;
}

bool quote_is_plain(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "0123456789_.-";
    struct tree_node node = {.kind = YAML_SCALAR, .text = text};
    size_t first = strspn(text, letters);
    if (first == 0 || tree_is_null(&node))
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (strchr(letters, *at) == NULL && strchr(others, *at) == NULL)
            return false;
    }
    return true;
}

void quote_always(struct text_buffer *out, const char *text)
{
    char piece[QUOTE_PIECE_SIZE];
    text_append(out, "\"");
    while (*text != '\0')
        text_append(out, quote_next(&text, piece));
    text_append(out, "\"");
}

void quote_text(struct text_buffer *out, const char *text)
{
    if (text == NULL)
        text_append(out, "null");
    else if (quote_is_plain(text))
        text_append(out, text);
    else
        quote_always(out, text);
}

void quote_path(struct text_buffer *out, const char *path)
{
    char folder[PATHS_SIZE];
    struct text_buffer full = {0};
    if (path == NULL) {
        text_append(out, "null");
        return;
    }
    if (path[0] != '/' && getcwd(folder, sizeof folder) != NULL)
        text_appendf(&full, "%s/%s", folder, path);
    else
        text_append(&full, path);
    if (full.failed)
        out->failed = true;
    else
        quote_always(out, full.data);
    text_buffer_free(&full);
}
