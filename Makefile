# Martlet: every command a person types. `make help` explains them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BUILD := build
OBJECTS := $(BUILD)/kernel

# From the ground up: a module imports only what stands before it.
MODULES := Text X86 Memory Virtualization VMX Devices Trace Machine Debug Metal

SWIFT_FLAGS := -target x86_64-unknown-none-elf -enable-experimental-feature Embedded -wmo -parse-as-library \
	-swift-version 6 -O -g -no-allocations \
	-Xfrontend -disable-stack-protector -Xfrontend -function-sections \
	-Xcc -mno-red-zone -Xcc -mno-sse -Xcc -mno-mmx -Xcc -fno-pic -Xcc -momit-leaf-frame-pointer \
	-I $(OBJECTS) -I Kernel/Metal/Instructions
LINK_FLAGS := -static --gc-sections -z max-page-size=4096 -z norelro --build-id=none -T Linker/kernel.ld

GUESTS := $(filter-out common,$(notdir $(wildcard Guests/*)))
ELF_GUESTS := protected long
GUEST_IMAGES := $(foreach guest,$(GUESTS),$(BUILD)/guests/$(guest).$(if $(filter $(guest),$(ELF_GUESTS)),elf,bin))

BOOT_OBJECTS := $(patsubst Boot/%.asm,$(OBJECTS)/%.boot.o,$(wildcard Boot/*.asm))
SWIFT_OBJECTS := $(MODULES:%=$(OBJECTS)/%.o)

.PHONY: build
build: $(BUILD)/martlet.elf $(GUEST_IMAGES) ## build the kernel image, build/martlet.elf

$(BUILD)/martlet.elf: $(BOOT_OBJECTS) $(SWIFT_OBJECTS) Linker/kernel.ld
	@ld.lld $(LINK_FLAGS) $(BOOT_OBJECTS) $(SWIFT_OBJECTS) -o $@

$(OBJECTS)/%.boot.o: Boot/%.asm Boot/registers.inc Boot/records.inc | $(OBJECTS)
	@nasm -f elf64 -I Boot/ -g -F dwarf -w+error -o $@ $(abspath $<)

$(OBJECTS)/tables.boot.o: $(BUILD)/bios.bin $(BUILD)/guests/real.bin $(BUILD)/guests/protected.elf $(BUILD)/guests/long.elf

$(OBJECTS) $(BUILD)/guests:
	@mkdir -p $@

# The guest's BIOS, and a ROM with which a bare QEMU tries it out.
$(BUILD)/bios.bin: Firmware/bios.asm | $(OBJECTS)
	@nasm -f bin -w+error -o $@ $<

$(BUILD)/bios-trial.rom: Tests/Firmware/trial.asm $(BUILD)/bios.bin
	@nasm -f bin -w+error -o $@ $<

# Guests: flat images as nasm writes them, and two linked ELF files.
GUEST_LINK_FLAGS := -static --build-id=none -N --image-base=0x100000 -Ttext=0x100000 -e start

.SECONDEXPANSION:
$(BUILD)/guests/%.bin: Guests/$$*/$$*.asm $$(wildcard Guests/$$*/*.inc) $(wildcard Guests/common/*) | $(BUILD)/guests
	@nasm -f bin -w+error -I Guests/common/ -I $(<D)/ -o $@ $<

$(BUILD)/guests/protected.o: FORMAT := elf32
$(BUILD)/guests/long.o: FORMAT := elf64
$(BUILD)/guests/%.o: Guests/$$*/$$*.asm $(wildcard Guests/common/*) | $(BUILD)/guests
	@nasm -f $(FORMAT) -w+error -I Guests/common/ -o $@ $<

$(BUILD)/guests/protected.elf: EMULATION := elf_i386
$(BUILD)/guests/long.elf: EMULATION := elf_x86_64
$(BUILD)/guests/%.elf: $(BUILD)/guests/%.o
	@ld.lld -m $(EMULATION) $(GUEST_LINK_FLAGS) $< -o $@

# One compiler call a module, after the modules that it may import. The compiler leaves an object alone that would not
# change; but what imports the module must be compiled again all the same.
define module_rule
$(OBJECTS)/$(1).o: $$(wildcard Kernel/$(1)/*.swift Kernel/$(1)/*/*.swift Kernel/$(1)/*/*.h) $(2) Makefile | $(OBJECTS)
	@echo "compiling $(1)"
	@swiftc $$(SWIFT_FLAGS) -module-name $(1) -emit-module -emit-module-path $(OBJECTS)/$(1).swiftmodule \
		-c $$(filter %.swift,$$^) -o $$@
	@touch $$@
endef
previous :=
$(foreach module,$(MODULES),$(eval $(call module_rule,$(module),$(previous)))$(eval previous := $(OBJECTS)/$(module).o))

# The kernel allocates nothing and uses no vector or floating-point register: proved on the linked image.
.PHONY: check-kernel
check-kernel: $(BUILD)/martlet.elf
	@Tests/Kernel/check $<

.PHONY: setup
setup: ## install what is missing to build and run
	@Tools/setup run

.PHONY: run
run: setup ## build, and run a guest; the words are below
	@$(MAKE) -s --no-print-directory build
	@Tools/martlet --make

.PHONY: study
study: setup ## a guest stopped before its first VM entry, and a prompt; SCRIPT=file types for you
	@$(MAKE) -s --no-print-directory build
	@TRACE=off MONITOR=study Tools/martlet --make

.PHONY: linux
linux: ## boot Debian's kernel to a shell; CMDLINE=work runs that script instead
	@Tools/setup linux
	@$(MAKE) -s --no-print-directory build
	@Tools/linux/start --make

.PHONY: iso
iso: setup $(BUILD)/martlet.iso ## make build/martlet.iso, for CDs and USB sticks

$(BUILD)/martlet.iso: $(BUILD)/martlet.elf Tools/iso
	@WAIT=3 Tools/iso $@ $< "martlet.elf trace=exits"

.PHONY: test
test: ## run all tests, or a part: ONLY="host image firmware boots launcher linux fuzz records page monitor guide gdb bench"
	@Tools/setup test
	@$(MAKE) -s --no-print-directory build iso
	@Tests/run $(ONLY)

.PHONY: test-nested
test-nested: ## run the tour under real nested KVM (Linux with KVM in Bochs)
	@Tools/setup nested
	@$(MAKE) -s --no-print-directory build
	@Tests/Nested/run

.PHONY: bench
bench: ## instructions per exit, and what Linux costs, against the recorded figures
	@Tools/setup linux
	@$(MAKE) -s --no-print-directory build
	@Tools/bench
	@Tools/bench-linux

.PHONY: clean
clean: ## remove everything built
	@rm -rf $(BUILD) .build

.PHONY: help
help: ## show this
	@echo "make targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1#\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS='#' read -r name text; do printf '  %-14s %s\n' $$name "$$text"; done
	@echo
	@Tools/martlet help
