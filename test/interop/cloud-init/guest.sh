# Runs cloud-init as a booting machine does: guest.sh ROLE SCRATCH. ROLE `root` makes the root of a machine in SCRATCH and runs the words
# behind in it or for it; ROLE `stages` runs in the machine. In a mount namespace of its own: nothing of this host changes.
set -eu
role=$1 scratch=$2
shift 2

make_root() {
  mount --make-rprivate /
  mount -t tmpfs -o size=512m tmpfs "$scratch/root"
  # Layers of an overlay must not lie within each other.
  cp -a "$scratch/packages" "$scratch/root/packages"
  mkdir "$scratch/root/changes" "$scratch/root/work" "$scratch/root/root"
  layers=lowerdir=$scratch/root/packages:/,upperdir=$scratch/root/changes,workdir=$scratch/root/work
  mount -t overlay -o "$layers" overlay "$scratch/root/root"
  cd "$scratch/root/root"
  for folder in run tmp home root var/lib/cloud var/lib/dhcp etc/network/interfaces.d; do
    mkdir -p "$folder"
    mount -t tmpfs tmpfs "$folder"
  done
  # With the mark of a container, cloud-init would not read what the firmware says.
  rm -rf etc/cloud/cloud.cfg.d .dockerenv
  cp "$scratch/cloud.cfg" etc/cloud/cloud.cfg
  cp "$0" stages.sh
  cp "$scratch/proof.py" proof.py
  echo 'source /etc/network/interfaces.d/*' > etc/network/interfaces
  echo localhost > etc/hostname
  : > etc/resolv.conf
}

stages() {
  export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root
  mkdir -p /run/network
  ip link set lo up
  cloud-init init --local > /tmp/log 2>&1 || true
  # Debian's networking.service comes between the two.
  ifup -a >> /tmp/log 2>&1 || true
  cloud-init init >> /tmp/log 2>&1 || true
  cloud-init modules --mode=config >> /tmp/log 2>&1 || true
  cloud-init modules --mode=final >> /tmp/log 2>&1 || true
  # Why it failed, for the test's message.
  [ -f /var/lib/cloud/data/instance-id ] || tail -n 200 /tmp/log | cut -c1-300
  /usr/bin/python3 /proof.py
}

case $role in
  namespace)
    make_root
    mount -t proc proc proc
    mount -t sysfs sysfs sys
    mount --rbind /dev dev
    exec chroot . /bin/sh /stages.sh stages /
    ;;
  machine)
    make_root
    exec "$@"
    ;;
  booted)
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    stages
    sync
    echo o > /proc/sysrq-trigger
    sleep 60
    ;;
  stages) stages ;;
esac
