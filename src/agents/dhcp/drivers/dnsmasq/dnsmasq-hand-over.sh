# Ends one dnsmasq and becomes the next. In a process of its own, so that a network is not left without DHCP by an agent that is
# killed between the two. What changes on disk is at hand in next/ (see hand-over.ts), and changes while none runs.
#
# Arguments: process id and start time (proc(5), field 22) of the one that runs, folder, namespace, the command of the next one.
# The id counts together with the start time only, for numbers are used again.
umask 022
pid=$1 started=$2 folder=$3 namespace=$4
shift 4
ended() {
  IFS= read -r stat 2>/dev/null <"/proc/$pid/stat" || return 0
  set -- ${stat##*) }
  [ "$1" = Z ] || [ "$1" = X ] || [ "${20}" != "$started" ]
}
looks=0
ended || kill -TERM "$pid" 2>/dev/null
until ended; do
  looks=$((looks + 1))
  case $looks in
    ?|1?) sleep 0.002 ;;
    400) kill -KILL "$pid" 2>/dev/null; sleep 0.01 ;;
    1000) echo "dnsmasq (process $pid) did not end of SIGKILL" >&2; exit 75 ;;
    *) sleep 0.01 ;;
  esac
done
if [ ! -s "$folder/leases" ] || [ -n "$(tail -c 1 "$folder/leases")" ]; then
  mv -f "$folder/next/seeds" "$folder/leases"
elif [ -s "$folder/next/stale" ]; then
  grep -vFf "$folder/next/stale" "$folder/leases" >"$folder/leases.new"
  mv -f "$folder/leases.new" "$folder/leases"
fi
mv -f "$folder"/next/text/* "$folder" 2>/dev/null
[ ! -d "$folder/added" ] || rm -f "$folder"/added/*/*
exec nsenter "--net=$namespace" -- "$@"
