#!/usr/bin/env bash
# The kernels' tests on an emulated Sapphire Rapids: all instruction sets up to AMX but avx512bf16, whatever this machine has.
# Tests/Emulator/run.sh [FILTER]. Bochs is built and Debian's kernel fetched here the first time; about ten minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/Tests/Emulator work=$PWD/.build-emulator
filter=${1:-'TensorsTests.(Kernel|PackedKernel)Tests'}
packages=(bochsbios vgabios isolinux syslinux-common xorriso cpio busybox-static curl xz-utils make g++)
missing=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>&1 | grep -v ' installed$' || true)
if [[ -n $missing ]]; then
  if ((EUID != 0)); then
    echo "apt-get install ${packages[*]}" >&2
    exit 2
  fi
  apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null
fi
mkdir -p "$work/iso/isolinux"

# QEMU has no AVX-512 and no AMX. The count of instructions is told from a signal handler, which stops Bochs for good now and then.
bochs=$work/bochs-3.0
if [[ ! -x $bochs/bochs ]]; then
  archive=$work/bochs.tar.xz
  curl -sSfL -o "$archive" http://deb.debian.org/debian/pool/main/b/bochs/bochs_3.0+dfsg.orig.tar.xz
  echo "78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b  $archive" | sha256sum --check --quiet
  tar xf "$archive" -C "$work"
  (
    cd "$bochs"
    patch -s -p1 <"$here/bochs.patch"
    ./configure --enable-cpu-level=6 --enable-x86-64 --enable-avx --enable-evex --enable-amx --enable-all-optimizations \
      --disable-docbook --disable-show-ips --with-nogui CFLAGS=-O2 CXXFLAGS=-O2
    make -j"$(nproc)" bochs
  ) >"$work/bochs-build.log" 2>&1 || { tail "$work/bochs-build.log"; exit 1; }
fi
# That of Debian 13: the one of Debian 12 does not start on this CPU under Bochs.
if [[ ! -e $work/iso/vmlinuz ]]; then
  kernel=$(curl -sSfL http://deb.debian.org/debian/dists/trixie/main/binary-amd64/Packages.xz | xz -dc |
    awk '/^Package:/ {wanted = $2 ~ /^linux-image-[0-9.]+.*-cloud-amd64$/} wanted && /^Filename:/ {print $2}' | sort -V | tail -1)
  curl -sSfL -o "$work/kernel.deb" "http://deb.debian.org/debian/$kernel"
  dpkg-deb -x "$work/kernel.deb" "$work/kernel"
  cp "$work"/kernel/boot/vmlinuz-* "$work/iso/vmlinuz"
fi

# A disk in memory that holds the tests and what they are linked with.
ROOMS="Failures,Numbers,Storage,CSystem,Imaging,CKernels,Tensors,TensorsTests" \
  swift build -c release --build-tests --scratch-path .build-kernels >"$work/swift-build.log" 2>&1 || { tail "$work/swift-build.log"; exit 1; }
tests=$(realpath .build-kernels/release/hspsamPackageTests.xctest)
root=$work/root
rm -rf "$root" && mkdir -p "$root"/{bin,proc,sys,dev,tmp}
cp /bin/busybox "$root/bin/" && cp "$tests" "$root/tests"
for tool in sh mount grep cut sleep poweroff; do ln -s busybox "$root/bin/$tool"; done
ldd "$tests" | grep -o '/[^ ]*' | sort -u | while read -r library; do
  mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library"
done
# Swift's libraries are found where the build found them.
libraries=$(dirname "$(ldd "$tests" | awk '/libswiftCore.so/ {print $3}')")
cat >"$root/init" <<EOF
#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
grep -o -m1 'amx_tile' /proc/cpuinfo
cd /tmp && LD_LIBRARY_PATH=$libraries /tests --testing-library swift-testing --filter '$filter' >log 2>&1
status=\$?
# The console is slow.
grep -E 'recorded an issue|↳|(passed|failed) after' log | cut -c1-300
echo "exit status \$status"
sleep 3
poweroff -f
EOF
chmod +x "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/iso/initrd.gz"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/iso/isolinux/"
# Bochs cannot leave system management mode with five levels of page tables.
cat >"$work/iso/isolinux/isolinux.cfg" <<'EOF'
DEFAULT tests
LABEL tests
  KERNEL /vmlinuz
  APPEND initrd=/initrd.gz console=ttyS0 mitigations=off nokaslr no5lvl panic=-1 random.trust_cpu=on
EOF
xorriso -as mkisofs -quiet -o "$work/boot.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 \
  -boot-info-table "$work/iso" 2>/dev/null

cat >"$work/bochsrc" <<EOF
# Its VDPBF16PS with a factor in memory is wrong: rows by themselves, which pass on processors that have it.
cpu: model=sapphire_rapids, ips=50000000, reset_on_triple_fault=0, exclude_features="avx512bf16"
memory: guest=2048, host=2048
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios-stdvga.bin
ata0-master: type=cdrom, path=$work/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/console.log
log: $work/bochs.log
display_library: nogui
clock: sync=none
panic: action=fatal
EOF
rm -f "$work/console.log"
"$bochs/bochs" -q -f "$work/bochsrc" >"$work/emulator.log" 2>&1 || true
grep -a -q '^amx_tile' "$work/console.log" || { echo "the emulated machine did not start with AMX: $work/console.log" >&2; exit 1; }
grep -a -E 'recorded an issue|↳|(passed|failed) after' "$work/console.log"
grep -a -q '^exit status 0' "$work/console.log"
