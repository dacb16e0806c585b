# Lets this package build against the ROS 2 wheels of a Python environment. Only pyproject.toml
# names this file (CMAKE_PROJECT_INCLUDE); a normal colcon build never reads it.

# 1. The environment that holds the wheels is the ROS prefix.
if(NOT DEFINED ENV{AMENT_PREFIX_PATH} AND PYTHON_EXECUTABLE)
  execute_process(
    COMMAND ${PYTHON_EXECUTABLE} -c
      "import ament_package, pathlib; print(pathlib.Path(ament_package.__file__).parents[4])"
    OUTPUT_VARIABLE _ros_prefix OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(ENV{AMENT_PREFIX_PATH} "${_ros_prefix}")
  list(PREPEND CMAKE_PREFIX_PATH "${_ros_prefix}")
endif()

# 2. The wheels' exported targets carry include folders of the machine that built them, which CMake
#    refuses when they do not exist here: drop those.
function(_prune_missing_imported_includes)
  get_property(_targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(_target IN LISTS _targets)
    get_target_property(_includes ${_target} INTERFACE_INCLUDE_DIRECTORIES)
    if(_includes)
      set(_keep "")
      foreach(_dir IN LISTS _includes)
        if(_dir MATCHES "^\\$<" OR EXISTS "${_dir}")
          list(APPEND _keep "${_dir}")
        endif()
      endforeach()
      set_target_properties(${_target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_keep}")
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL _prune_missing_imported_includes)
