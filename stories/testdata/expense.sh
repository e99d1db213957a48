# The expense story as a script: every line as a person would type it.
set -euo pipefail
landfall init --data d --app app.yaml --admin ada --password-stdin <pw
landfall serve --data d --listen 127.0.0.1:0 --ready-file url &
trap 'kill %1; wait %1' EXIT
until [ -s url ]; do :; done; URL=$(cat url)
landfall login $URL --user ada --password-stdin <pw
landfall --as ada user add emma --role employee --password-stdin <pw
landfall --as ada user add mara --role manager --password-stdin <pw
landfall login $URL --user mara --password-stdin <pw
C=$(landfall --as ada device enrol --user emma --quiet)
landfall field -C phone init $URL --code $C
E=$(landfall field -C phone create expense purpose=Oslo amount=120 currency=EUR --quiet)
landfall field -C phone move $E submit; landfall field -C phone sync; landfall field -C phone network off
landfall field -C phone set $E amount=140 notes=taxi; landfall field -C phone move $E submit
landfall --as mara record move $E approve
landfall field -C phone network on; landfall field -C phone sync; landfall field -C phone log
I=$(landfall --as ada issue list --queue sync-conflicts --record $E --quiet)
landfall --as ada issue show $I; landfall --as ada issue claim $I
landfall --as ada issue resolve $I --take device --before reopen --after submit --to user:mara --note "taxi receipt seen"
landfall --as mara worklist; landfall --as mara record move $E approve
landfall field -C phone sync; landfall field -C phone log
echo "== the record at the end"
landfall --as mara record show $E
landfall field -C phone status
