# find_package(Ascent): insitu's libascent_mpi.so under the targets of Ascent's own configuration.
#
# Out: ascent::ascent, ascent::ascent_mpi, the plain names of the libraries, ASCENT_FOUND and
# ASCENT_INCLUDE_DIRS; conduit's targets. All paths are relative to this file.
include("${CMAKE_CURRENT_LIST_DIR}/../conduit/ConduitConfig.cmake")
get_filename_component(ASCENT_INSTALL_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(ASCENT_FOUND TRUE)
set(ASCENT_VERSION "0.9.3")
set(ASCENT_INCLUDE_DIRS "${ASCENT_INSTALL_PREFIX}/include/ascent")
set(ASCENT_FORTRAN_ENABLED ${CONDUIT_FORTRAN_ENABLED})
set(ASCENT_SERIAL_ENABLED TRUE)
set(ASCENT_MPI_ENABLED TRUE)
set(ASCENT_PYTHON_ENABLED TRUE)
set(ASCENT_VTKH_ENABLED FALSE)

foreach(_name ascent ascent_mpi)
  if(NOT TARGET ${_name})
    add_library(${_name} SHARED IMPORTED)
    set_target_properties(${_name} PROPERTIES
      IMPORTED_LOCATION "${ASCENT_INSTALL_PREFIX}/lib/libascent_mpi.so"
      IMPORTED_SONAME "libascent_mpi.so"
      INTERFACE_INCLUDE_DIRECTORIES "${ASCENT_INCLUDE_DIRS}"
      INTERFACE_LINK_LIBRARIES conduit::conduit)
  endif()
  if(NOT TARGET ascent::${_name})
    add_library(ascent::${_name} INTERFACE IMPORTED)
    set_target_properties(ascent::${_name} PROPERTIES INTERFACE_LINK_LIBRARIES ${_name})
  endif()
endforeach()
