#!/bin/sh
# Renames the module in every tracked text file: tools/module-path.sh example.org/name
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
new=$1
old=$(sed -n 's/^module //p' go.mod)
case $new in
*[!A-Za-z0-9._/~-]* | */ | /* | '') echo "module-path: '$new' is no module path" >&2; exit 2 ;;
esac
git ls-files -z | xargs -0 grep -IlF "$old" | while IFS= read -r f; do
	mode=$(stat -c %a "$f" 2>/dev/null || stat -f %Lp "$f")
	sed "s|$old|$new|g" "$f" >"$f.new" && mv "$f.new" "$f" && chmod "$mode" "$f"
done
"$GO" vet ./...
echo "the module is $new now"
