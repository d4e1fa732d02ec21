// Python's C interface, found at run time: this library is linked to no Python, so that it fits
// whichever one the host has.
//
// A host that is a Python program has an interpreter already, in a libpython or in its executable.
// Any other host gets the one that built this library, or that of INSITU_LIBPYTHON and
// INSITU_PYTHON (the library, and the executable whose packages are to be seen).

#include "python.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <mutex>
#include <stdexcept>

#include "conduit.h"

namespace {

// What is used of Python. Its objects are opaque here.
struct Python {
  using Object = void;

  int (*is_initialized)();
  void (*initialize)(int);
  void (*set_program_name)(const wchar_t*);  // null from Python 3.15 on
  wchar_t* (*decode)(const char*, std::size_t*);
  Object* (*save_thread)();
  int (*ensure)();
  void (*release)(int);
  int (*run)(const char*, void*);
  Object* (*import_module)(const char*);
  Object* (*call_method)(Object*, const char*, const char*, ...);
  const char* (*utf8)(Object*);
  void (*print_error)();
  void (*decref)(Object*);

  explicit Python(void* library) {
    find(library, "Py_IsInitialized", is_initialized);
    find(library, "Py_InitializeEx", initialize);
    set_program_name =
        reinterpret_cast<decltype(set_program_name)>(dlsym(library, "Py_SetProgramName"));
    find(library, "Py_DecodeLocale", decode);
    find(library, "PyEval_SaveThread", save_thread);
    find(library, "PyGILState_Ensure", ensure);
    find(library, "PyGILState_Release", release);
    find(library, "PyRun_SimpleStringFlags", run);
    find(library, "PyImport_ImportModule", import_module);
    find(library, "PyObject_CallMethod", call_method);
    find(library, "PyUnicode_AsUTF8", utf8);
    find(library, "PyErr_Print", print_error);
    find(library, "Py_DecRef", decref);
  }

 private:
  template <typename Function>
  static void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr)
      throw std::runtime_error(std::string("this process's Python has no ") + name);
  }
};

const char* setting(const char* variable, const char* built_with) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != 0 ? value : built_with;
}

// A library with Python in it: that of the host, if there is one.
void* python_library() {
  if (dlsym(RTLD_DEFAULT, "Py_IsInitialized") != nullptr) return RTLD_DEFAULT;
  const char* file = setting("INSITU_LIBPYTHON", INSITU_LIBPYTHON);
  if (*file == 0)
    throw std::runtime_error(
        "the Python that built this library has no libpython that could be loaded; set "
        "INSITU_LIBPYTHON to the path of one");
  // Global, since Python's extension modules look for its symbols there.
  void* library = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) throw std::runtime_error(std::string("Python: ") + dlerror());
  return library;
}

// mpi4py finds the MPI library by itself only where that is in Python's environment or was loaded
// for all to see; a host that was linked to MPI has it in its own namespace.
void point_at_mpi() {
  Dl_info where{};
  void* symbol = dlsym(RTLD_DEFAULT, "MPI_Get_version");
  if (symbol != nullptr && dladdr(symbol, &where) != 0 && where.dli_fname != nullptr)
    setenv("MPI4PY_LIBMPI", where.dli_fname, 0);
}

void start(const Python& python) {
  const char* executable = setting("INSITU_PYTHON", INSITU_PYTHON);
  if (python.set_program_name != nullptr && *executable != 0)
    if (wchar_t* name = python.decode(executable, nullptr)) python.set_program_name(name);
  point_at_mpi();
  python.initialize(0);  // signals stay the simulation's
  // Behind all else: the insitu that built this library, should the environment have none.
  python.run("import sys; sys.path.append(r'''" INSITU_ROOT "''')", nullptr);
  python.save_thread();
}

const Python& interpreter() {
  static const Python python(python_library());
  static std::once_flag started;
  std::call_once(started, [] {
    if (python.is_initialized() == 0) start(python);
  });
  return python;
}

// The path of libconduit, whose functions Python is to call.
const char* conduit_library() {
  Dl_info where{};
  dladdr(reinterpret_cast<const void*>(&conduit_node_create), &where);
  return where.dli_fname;
}

class Gil {
 public:
  explicit Gil(const Python& python) : python_(python), state_(python.ensure()) {}
  ~Gil() { python_.release(state_); }
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  const Python& python_;
  int state_;
};

}  // namespace

namespace insitu {

namespace {

// insitu/ascent/c_callbacks.py. An import that fails is not tried again: what it lacks it would
// lack at the next step, and its traceback has been read. With the GIL.
void* host(const Python& python) {
  static bool unavailable = false;
  const auto* lasting = "Python cannot import insitu; nothing will be recorded";
  if (unavailable) throw LastingError(lasting);
  void* module = python.import_module("insitu.ascent.c_callbacks");
  if (module != nullptr) return module;
  unavailable = true;
  python.print_error();
  std::fputs(
      "insitu: its Python is INSITU_PYTHON, or the one that built the libraries; mpi4py in it must "
      "find the program's MPI (adapters/ascent/README.md, MPI)\n",
      stderr);
  throw std::runtime_error(lasting);
}

}  // namespace

std::string call_python(const char* what, long long handle, const void* address) {
  const Python& python = interpreter();
  const Gil gil(python);
  void* module = host(python);
  void* answer =
      python.call_method(module, "call", "ssLL", conduit_library(), what, handle,
                         static_cast<long long>(reinterpret_cast<std::intptr_t>(address)));
  const char* text = answer == nullptr ? nullptr : python.utf8(answer);
  const bool failed = text == nullptr;
  std::string result = failed ? "" : text;
  if (failed) python.print_error();
  if (answer != nullptr) python.decref(answer);
  python.decref(module);
  if (failed) throw std::runtime_error(std::string(what) + " failed in Python");
  return result;
}

}  // namespace insitu
