# The program coho: cmd/*.c and cmd/check/*.c, with the pages of web/ built by npm and embedded as a
# table of assets.
file(GLOB sources CONFIGURE_DEPENDS cmd/*.c cmd/check/*.c)
find_program(NPM npm)
if(NOT NPM)
  message(FATAL_ERROR "npm is missing, which builds the pages: run tools/setup build, or set -DCOHO_PROGRAM=OFF to build the libraries alone")
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)

set(web ${PROJECT_SOURCE_DIR}/web)
set(npm_stamp ${web}/node_modules/.package-lock.json)
set(pages ${PROJECT_BINARY_DIR}/web)
set(assets ${PROJECT_BINARY_DIR}/assets.c)

file(GLOB page_files CONFIGURE_DEPENDS ${web}/*.*)
file(GLOB_RECURSE page_sources CONFIGURE_DEPENDS
  ${web}/client/* ${web}/pages/* ${web}/src/* ${web}/static/* ${web}/styles/*)

add_custom_command(OUTPUT ${npm_stamp}
  COMMAND ${PROJECT_SOURCE_DIR}/tools/npm-ci web
  DEPENDS ${web}/package-lock.json
  COMMENT "Installing the packages that the pages are built with")
add_custom_command(OUTPUT ${assets}
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${pages}
  COMMAND npm run --silent build -- --outdir=${pages}
  COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tools/embed.py ${pages} ${assets}
  DEPENDS ${page_files} ${page_sources} ${npm_stamp} ${PROJECT_SOURCE_DIR}/tools/embed.py
  WORKING_DIRECTORY ${web}
  COMMENT "Building the pages")

add_executable(coho ${sources} ${assets})
target_include_directories(coho PRIVATE src cmd)
target_link_libraries(coho PRIVATE libcoho_static PkgConfig::EDIT PkgConfig::YAML PkgConfig::JANSSON PkgConfig::CURL OpenSSL::SSL ZLIB::ZLIB m)
install(TARGETS coho)
