# cmake -DNPM=… -P npm_ci.cmake: the packages of package-lock.json into node_modules, without those of
# the tests; what npm has fetched before is taken from its cache, so that this works offline then.
execute_process(
  COMMAND ${NPM} ci --omit=dev --prefer-offline --no-progress --loglevel=error
  RESULT_VARIABLE failed OUTPUT_QUIET)
if(failed)
  # Indented lines are printed as they are.
  message(FATAL_ERROR
    "  npm could not fetch the packages of the page; what it says stands above.\n"
    "  Behind a company's walls, name the mirror: npm config set registry URL\n"
    "  A program without the page: cmake -DPREMISE_PAGE=OFF\n"
    "  npm 无法获取网页所需的软件包，原因见上。\n"
    "  内网环境请设置镜像：npm config set registry URL\n"
    "  构建不含网页的程序：cmake -DPREMISE_PAGE=OFF")
endif()
