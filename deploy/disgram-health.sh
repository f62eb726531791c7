#!/bin/sh
# For cron: says nothing while Disgram is healthy, otherwise a line and the first problems, which cron mails to you.
#   */5 * * * * /opt/disgram/deploy/disgram-health.sh
# Exit code: 0 healthy, 1 degraded, 2 unhealthy or no answer. The argument is the service's address.
url=${1:-http://127.0.0.1:5000}
# Not -f: an unhealthy service answers 503 with its status in the body.
answer=$(curl -sS --max-time 10 "$url/health" 2>&1)
status=$(printf '%s' "$answer" | sed -n 's/^{"status":"\([a-z]*\)".*/\1/p')
case $status in
healthy) exit 0 ;;
degraded) code=1 ;;
*) code=2 ;;
esac
echo "Disgram at $url is ${status:-not answering: $answer}"
string='"(([^"\\]|\\.)*)"'
printf '%s\n' "$answer" |
    sed -n 's/.*"problems":\[\(.*\)\],"problems_total".*/\1/p' |
    awk '{ gsub(/\},\{/, "}\n{"); print }' |
    sed -nE -e "s/^\{\"job\":null,\"channel\":null,\"reason\":$string,\"message\":$string.*/- \3/p" \
        -e "s/^\{\"job\":$string,\"channel\":null,\"reason\":$string,\"message\":$string.*/- \1: \5/p" \
        -e "s/^\{\"job\":$string,\"channel\":$string,\"reason\":$string,\"message\":$string.*/- \1 \/ \3: \7/p" |
    sed -e 's/\\\(["\\]\)/\1/g' -e 5q
exit $code
