#!/bin/sh
# Man pages from the commands' own help: man-pages.sh PROGRAM FOLDER
set -eu
program=$1 folder=$2
version=$("$program" --version)
mkdir -p "$folder"
export COLUMNS=80

page() { # page WORD...: the page of a command, and of those below it
    name=hspsam$(printf -- '-%s' "$@")
    [ $# -gt 0 ] || name=hspsam
    help=$("$program" help "$@")
    printf '%s\n' "$help" | awk -v name="$name" -v version="$version" '
        function roff(text) {
            gsub(/\\/, "\\e", text)
            gsub(/-/, "\\-", text)
            if (text ~ /^[.\x27]/) text = "\\&" text
            return text
        }
        function overview(line) {
            # The first sentence is the name; what stands below it is shown as it was written.
            if (line == "") { if (abstract != "") described = 1; if (described == 2) print "\n"; return }
            if (!described) { abstract = abstract (abstract == "" ? "" : " ") line; return }
            if (described == 1) { lines = ""; described = 2 }
            lines = lines roff(line) "\n"
        }
        /^OVERVIEW: / { part = "overview"; overview(substr($0, 11)); next }
        /^USAGE: / {
            part = "usage"
            print ".TH \"" toupper(name) "\" 1 \"\" \"hspsam " version "\" \"User Commands\""
            print ".SH NAME\n" roff(name) " \\- " roff(abstract)
            print ".SH SYNOPSIS\n.B " roff(substr($0, 8))
            if (lines != "") print ".SH DESCRIPTION\n.nf\n" lines ".fi"
            next
        }
        /^[A-Z][A-Z ]*:$/ { part = "items"; print ".SH " substr($0, 1, length($0) - 1); next }
        part == "overview" { overview($0); next }
        part == "usage" && $0 != "" { print roff($0); next }
        part == "items" && /^  [^ ]/ {
            text = substr($0, 3)
            if (text ~ /^See /) { print ".PP\n" roff(text); next }
            split_at = match(text, /   *[^ ]/)
            print ".TP\n.B " roff(split_at ? substr(text, 1, split_at - 1) : text)
            if (split_at) print roff(substr(text, split_at + RLENGTH - 1))
            next
        }
        part == "items" && $0 != "" { sub(/^ */, ""); print roff($0) }
        END {
            print ".SH EXIT STATUS\n0 done, 2 wrong usage or configuration, 3 something needs a person, 4 nothing was processed."
            print ".SH FILES\n.I /etc/hspsam/hspsam.yaml\nnames every setting of the unattended service with its default."
            print ".SH SEE ALSO\n.BR hspsam (1),\n.I /usr/share/doc/hspsam"
        }' > "$folder/$name.1"
    for sub in $(printf '%s\n' "$help" | awk '/^SUBCOMMANDS:$/ { on = 1; next } on && /^  [a-z]/ { print $1 }'); do
        (page "$@" "$sub")
    done
}
page
