#!/bin/sh
# install.sh LIST…   installs the packages that the lists name and this machine lacks.
#
# Says nothing when nothing is to do, so that `make build` can call it every time. A list holds one
# name a line; "#" starts a comment. "a | b" is one package under the names of several releases: any
# of them will do, and the first that this system's archive has is installed. "a | bin:b" is also
# satisfied by a program b that came another way. "a?" is left out where the archive has no a.
set -eu

case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
  zh*) say() { printf '%s\n' "$2" >&2; } ;;
  *) say() { printf '%s\n' "$1" >&2; } ;;
esac

# One entry a line: a name, or names joined by "|".
wanted=$(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$@")

if ! command -v dpkg-query >/dev/null 2>&1; then
  say "note: no dpkg here; Premise knows its packages on Debian and Ubuntu only: see $*" \
      "注意：此系统没有 dpkg；Premise 只了解 Debian 和 Ubuntu 的软件包，请参照 $* 自行安装"
  exit 0
fi

names=$(printf '%s\n' "$wanted" | sed 's/|bin:[^|]*//g; s/?$//' | tr '|' ' ')
# shellcheck disable=SC2086  # words are names
present=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $names 2>/dev/null |
  sed -n 's/ installed$//p' || true)
is_present() {
  case $1 in bin:*) command -v "${1#bin:}" >/dev/null 2>&1; return ;; esac
  case "
$present
" in
    *"
$1
"*) return 0 ;;
    *) return 1 ;;
  esac
}
any_present() {
  for name in $(printf '%s' "$1" | tr '|' ' '); do
    if is_present "$name"; then return 0; fi
  done
  return 1
}
missing=
for entry in $wanted; do
  any_present "${entry%\?}" || missing="$missing $entry"
done
[ -n "$missing" ] || exit 0

# The names to install: of alternatives the first that the archive has, or the first of all.
choose() {
  for entry in $missing; do
    case $entry in
      *\?) chosen= ;;
      *) chosen=${entry%%|*} ;;
    esac
    for name in $(printf '%s' "${entry%\?}" | tr '|' ' '); do
      if apt-cache show "$name" >/dev/null 2>&1; then
        chosen=$name
        break
      fi
    done
    [ -z "$chosen" ] || printf ' %s' "$chosen"
  done
}
chosen=$(choose)
[ -n "$chosen" ] || exit 0  # all that is missing may be missing
install="apt-get install -y --no-install-recommends$chosen"
if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  as_root=sudo
else
  say "error: packages are missing, and installing them takes root or sudo. As root, run:
  apt-get update && $install" \
      "错误：缺少软件包，安装需要 root 权限或 sudo。请以 root 身份运行：
  apt-get update && $install"
  exit 4
fi

# A mirror that is down must not matter when another one has the packages: install decides.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update ||
  say "warning: apt-get update failed; trying with the lists at hand" \
      "警告：apt-get update 失败，使用现有软件包列表继续"
chosen=$(choose)  # again: the archive is known by now
install="apt-get install -y --no-install-recommends$chosen"
say "Installing packages:$chosen" "正在安装软件包：$chosen"
# shellcheck disable=SC2086
if ! $as_root env DEBIAN_FRONTEND=noninteractive $install -qq -o=Dpkg::Use-Pty=0 >/dev/null; then
  say "error: apt could not install the packages; to see why, run: ${as_root:+sudo }$install" \
      "错误：apt 未能安装软件包；查看原因请运行：${as_root:+sudo }$install"
  exit 4
fi
