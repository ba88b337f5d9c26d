# `make install PREFIX=/usr/local DESTDIR=`: the program, its pipelines, the systemd units and their site file.
# Included by the Makefile.

# Where /etc is not the system's to write, the site file stands under PREFIX.
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
UNITS := hspsam.service hspsam-batch.service hspsam-batch.timer hspsam-deliver.service hspsam-receive.service
INSTALLED := $(DESTDIR)$(PREFIX)

install: ## Installs program, pipelines and units (PREFIX, DESTDIR)
	@test -x $(BUILD)/hspsam || { echo "nothing to install: run make build first" >&2; exit 2; }
	install -D -m 0755 $(BUILD)/hspsam $(INSTALLED)/bin/hspsam
	deploy/install-files.sh "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)" $(UNITS)
