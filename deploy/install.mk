# `make install PREFIX=/usr/local DESTDIR=`, `make uninstall`, `make deb`, `make check-deb`. Included by the Makefile.

# Where /etc is not the system's to write, the site file stands under PREFIX.
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
UNITDIR ?= $(PREFIX)/lib/systemd/system
# Built apart: with Swift's runtime in it, so that it starts where there is no Swift.
STATIC := .build/static
PROGRAM ?= $(STATIC)/release/hspsam

.PHONY: static uninstall deb check-deb

static: setup ## Builds the program to install, with Swift's runtime in it
	swift build -c release --product hspsam --static-swift-stdlib --scratch-path $(STATIC)

install: ## Installs program, pipelines, units, pages (PREFIX, DESTDIR), once make static has built
	@deploy/install-files.sh "$(PROGRAM)" "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)" "$(UNITDIR)"

uninstall: ## Removes what make install has installed; site file and data stay
	@deploy/uninstall-files.sh "$(DESTDIR)" "$(PREFIX)"

deb: static ## Builds the Debian package in .build/deb
	@deploy/build-deb.sh "$(PROGRAM)" .build/deb

check-deb: deb ## Installs the package in a new Debian without Swift, works on a study there, removes it (root)
	@Tests/Package/run.sh .build/deb
