# For makefiles, as conduit's own: include $(CONDUIT_DIR)/share/conduit/conduit_config.mk
CONDUIT_DIR ?= $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
CONDUIT_INCLUDE_FLAGS = -I$(CONDUIT_DIR)/include -I$(CONDUIT_DIR)/include/conduit -I$(CONDUIT_DIR)/fortran
CONDUIT_LINK_RPATH = -Wl,-rpath,$(CONDUIT_DIR)/lib
CONDUIT_LIB_FLAGS = -L$(CONDUIT_DIR)/lib -lconduit
CONDUIT_MPI_LIB_FLAGS = $(CONDUIT_LIB_FLAGS)
