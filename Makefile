# Martlet: all commands for users. `make help` explains them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# A word KEY=value on the command line is refused if the target does not take it; otherwise it is passed to the commands in the
# environment, with no character interpreted. No variable here has the name of such a word; a recursive make does not see
# them.
said := $(strip $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name))))
ifneq ($(said),)
words := $(shell Tools/lib/said.sh "$(MAKECMDGOALS)" $(foreach name,$(said),'$(name)'))
$(if $(words),,$(error nothing was done))
define word_rule
override $(1) := $$(value $(2))
export $(1)
endef
$(foreach word,$(words),$(eval $(call word_rule,$(firstword $(subst =, ,$(word))),$(lastword $(subst =, ,$(word))))))
MAKEOVERRIDES :=
endif

BUILD := build
OBJECTS := $(BUILD)/kernel

# The kernel's modules from the bottom up, and what each imports. Package.swift has the same graph; Tests/Kernel/modules
# compares both with the sources.
KERNEL_MODULES := Text X86 Memory Virtualization VMX VMXChecks EntryProof SVM SVMChecks ConsistencyProof Devices Trace Machine Debug Metal
imports_X86 := Text
imports_Memory := Text
imports_Virtualization := Text X86 Memory
imports_VMX := Text X86 Memory Virtualization
imports_VMXChecks := Text X86 Memory VMX
imports_EntryProof := Text X86 Memory VMX VMXChecks
imports_SVM := Text X86 Memory Virtualization
imports_SVMChecks := Text X86 Memory SVM
imports_ConsistencyProof := Text X86 Memory SVM SVMChecks
imports_Devices := Memory
imports_Trace := Text X86 Memory Virtualization
imports_Machine := Text X86 Memory Virtualization Devices Trace
imports_Debug := Text X86 Memory Virtualization VMX VMXChecks Trace Machine
imports_Metal := Text X86 Memory Virtualization VMX VMXChecks EntryProof SVM ConsistencyProof Devices Trace Machine Debug

# The devices and the control structure are compiled for speed, all else for size. Generic code becomes concrete in Metal: what of it
# frequent exits pass is marked @_optimize(speed).
$(foreach module,Text X86 Memory VMXChecks EntryProof SVMChecks ConsistencyProof Trace Machine Debug Metal,$(eval optimization_$(module) := -Osize))

SWIFT_FLAGS := -target x86_64-unknown-none-elf -enable-experimental-feature Embedded -wmo -parse-as-library \
	-swift-version 6 -O -g -no-allocations \
	-Xfrontend -disable-stack-protector -Xfrontend -function-sections \
	-Xcc -mno-red-zone -Xcc -mno-sse -Xcc -mno-mmx -Xcc -fno-pic -Xcc -momit-leaf-frame-pointer \
	-I $(OBJECTS) -I Kernel/Metal/Instructions
LINK_FLAGS := -static --gc-sections -z max-page-size=4096 -z norelro --build-id=none -T Linker/kernel.ld

GUESTS := $(filter-out common firmware,$(notdir $(wildcard Guests/*)))
ELF_GUESTS := protected long
GUEST_IMAGES := $(foreach guest,$(GUESTS),$(BUILD)/guests/$(guest).$(if $(filter $(guest),$(ELF_GUESTS)),elf,bin))

BOOT_OBJECTS := $(patsubst Boot/%.asm,$(OBJECTS)/%.boot.o,$(wildcard Boot/*.asm))
SWIFT_OBJECTS := $(KERNEL_MODULES:%=$(OBJECTS)/%.o)

# As many jobs as there are processors, unless make was given a number.
MAKE_BUILD = $(MAKE) -s --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) images

.PHONY: build images
build: ## build the kernel image, build/martlet.elf
	+@$(MAKE_BUILD)

images: $(BUILD)/martlet.elf $(BUILD)/entry-proof.elf $(BUILD)/vmrun-proof.elf $(GUEST_IMAGES)
	@Tools/lib/step

# The kernel, and the images that try the checks of VM entry and of VMRUN on a processor: the same objects, begun elsewhere.
# What an image does not reach from its beginning the linker leaves out.
$(BUILD)/martlet.elf: BEGINNING := martlet_main
$(BUILD)/entry-proof.elf: BEGINNING := martlet_prove_entries
$(BUILD)/vmrun-proof.elf: BEGINNING := martlet_prove_vmrun
$(BUILD)/martlet.elf $(BUILD)/entry-proof.elf $(BUILD)/vmrun-proof.elf: $(BOOT_OBJECTS) $(SWIFT_OBJECTS) Linker/kernel.ld
	@ld.lld $(LINK_FLAGS) --defsym=image_main=$(BEGINNING) $(BOOT_OBJECTS) $(SWIFT_OBJECTS) -o $@

$(OBJECTS)/%.boot.o: Boot/%.asm Boot/registers.inc Boot/records.inc | $(OBJECTS)
	@nasm -f elf64 -I Boot/ -g -F dwarf -w+error -o $@ $(abspath $<)

$(OBJECTS)/tables.boot.o: $(BUILD)/bios.bin $(BUILD)/guests/real.bin $(BUILD)/guests/protected.elf $(BUILD)/guests/long.elf

$(OBJECTS) $(BUILD)/guests:
	@mkdir -p $@

# The guest's BIOS, and a ROM for testing it on plain QEMU.
$(BUILD)/bios.bin: Guests/firmware/bios.asm | $(OBJECTS)
	@nasm -f bin -w+error -o $@ $<

$(BUILD)/bios-trial.rom: Tests/Firmware/trial.asm $(BUILD)/bios.bin
	@nasm -f bin -w+error -o $@ $<

# Guests: flat images written by nasm, and two linked ELF files.
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

# One compiler call per module, after the modules that it imports. The compiler does not touch an object that would not change,
# but the modules that import it must be recompiled all the same.
define module_rule
$(OBJECTS)/$(1).o: $$(wildcard Kernel/$(1)/*.swift Kernel/$(1)/*/*.swift Kernel/$(1)/*/*.h) Makefile \
		$$(call interfaces,$(imports_$(1))) | $(OBJECTS)
	@Tools/lib/step "compiling $(1) ($(2) of $(words $(KERNEL_MODULES)))" \
		swiftc $$(SWIFT_FLAGS) $(optimization_$(1)) -module-name $(1) \
		$(if $(filter $(1),$(SPLIT)),,-emit-module -emit-module-path $(OBJECTS)/$(1).swiftmodule) \
		-c $$(filter %.swift,$$^) -o $$@
	@touch $$@
endef

# The modules at the end of the chain are compiled in two steps: first their interfaces, so that their objects are compiled in
# parallel with the modules that import them.
SPLIT := Machine Debug
interfaces = $(foreach module,$(1),$(OBJECTS)/$(module)$(if $(filter $(module),$(SPLIT)),.swiftmodule,.o))
define interface_rule
$(OBJECTS)/$(1).swiftmodule: $$(wildcard Kernel/$(1)/*.swift Kernel/$(1)/*/*.swift) Makefile \
		$$(call interfaces,$(imports_$(1))) | $(OBJECTS)
	@swiftc $$(SWIFT_FLAGS) $(optimization_$(1)) -module-name $(1) -emit-module -emit-module-path $$@ $$(filter %.swift,$$^)
	@touch $$@
endef
$(foreach module,$(SPLIT),$(eval $(call interface_rule,$(module))))
numbers :=
$(foreach module,$(KERNEL_MODULES),$(eval numbers += x)$(eval $(call module_rule,$(module),$(words $(numbers)))))

# Proves on the linked image that the kernel allocates nothing and uses no vector or floating-point registers.
.PHONY: check-kernel
check-kernel: build
	@Tests/Kernel/run

.PHONY: setup
setup: ## install what is missing for building and running
	@Tools/setup run

# The host program, which starts machines and examines what ran there.
.PHONY: launcher
launcher:
	@Tools/lib/build-launcher $(if $(MONITOR),all)

.PHONY: run
run: setup ## build, and run a guest; the words are below
	+@$(MAKE_BUILD) launcher
	@Tools/martlet --make

.PHONY: study
study: setup ## stop a guest before its first VM entry, at a prompt; SCRIPT=file gives the commands
	+@$(MAKE_BUILD) launcher
	@Tools/martlet --make $(if $(filter gdb,$(MONITOR)),gdb,study)

.PHONY: linux
linux: ## boot Debian's kernel to a shell; CMDLINE=work runs the script "work" instead
	@Tools/setup linux
	+@$(MAKE_BUILD) launcher
	@Tools/linux/start --make

.PHONY: iso
iso: setup build ## create build/martlet.iso, for CDs and USB sticks
	@$(MAKE) -s --no-print-directory $(BUILD)/martlet.iso

$(BUILD)/martlet.iso: $(BUILD)/martlet.elf Tools/iso
	@WAIT=3 Tools/iso $@ $< "martlet.elf trace=exits"

.PHONY: test
test: ## run the tests, or some of them: ONLY="host boots" (Tests/run lists the parts)
	@Tools/setup test
	@$(MAKE) -s --no-print-directory iso
	@Tools/lib/build-launcher all
	@Tests/run $(ONLY)

.PHONY: test-fuzz
test-fuzz: ## run a hostile guest, and every instruction on memory, 300,000 cases
	@Tools/setup test
	+@$(MAKE_BUILD)
	@Tests/run $(or $(ONLY),fuzz operands)

.PHONY: format
format: ## format the Swift sources
	@swift format --in-place --parallel $$(find Package.swift Kernel Tests Tools -name '*.swift' -type f)

.PHONY: test-nested
test-nested: ## run the tour under real nested KVM (Linux with KVM in Bochs)
	@Tools/setup nested
	+@$(MAKE_BUILD)
	@Tests/Nested/run

.PHONY: test-walk
test-walk: ## test 100,000 random page tables in each paging mode, under nested and shadow paging
	@Tools/setup run
	+@$(MAKE_BUILD)
	@Tests/Boot/walks

.PHONY: bench
bench: ## measure instructions per exit, and Linux's cost, against the recorded figures
	@Tools/setup linux
	+@$(MAKE_BUILD)
	@Tools/bench
	@Tools/bench-linux

.PHONY: bench-mmu
bench-mmu: ## measure what nested, shadow and direct paging cost, as text and as build/mmu.html
	@Tools/setup linux
	+@$(MAKE_BUILD)
	@Tools/bench-mmu

.PHONY: feel
feel: ## time a program that touches memory, under shadow and nested page tables
	@Tools/setup linux
	+@$(MAKE_BUILD)
	@Tools/feel

.PHONY: clean
clean: ## remove everything that was built
	@rm -rf $(BUILD) .build

.PHONY: help
help: ## show this
	@{ echo "make targets:"; \
	  sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1#\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    while IFS='#' read -r name text; do printf '  %-14s %s\n' $$name "$$text"; done; \
	  echo; Tools/martlet help; } 2> /dev/null | cat 2> /dev/null || : # the reader may stop early
