# shellcheck shell=bash
# nginx, for the suite that reads without anything else. It starts one of its own, with the configuration beside this file. Sourced by
# tests/run.

nginx_need() {
  debian_need nginx nginx
}
