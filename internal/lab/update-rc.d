#!/bin/sh
# Switches a script of /etc/init.d on or off at boot: Debian's own is Perl.
case $2 in
enable|defaults) for n in 2 3 4 5; do mkdir -p "/etc/rc$n.d" && ln -sf "../init.d/$1" "/etc/rc$n.d/S01$1" || exit; done ;;
disable|remove) rm -f /etc/rc[2345].d/S[0-9][0-9]"$1" ;;
*) exit 1 ;;
esac
