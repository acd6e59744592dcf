# The exits of a run from its trace, without what depends on time (sourced): how long each took, and the exits of the
# preemption timer, which occur or not depending on how fast the hypervisor was before a deadline; hence the numbers too.

export COLUMNS=1000 # one exit is one row here

exit_lines() { # reason, place, what the guest did and what Martlet did
  tr -d '\r' | sed -nE '/preemption timer expired/d; s/^ *[0-9]+ \+[0-9]+ +([A-Za-z].*)/\1/p' |
    sed -E 's/(HLT  ->).*/\1 sleeps/'
}

exit_places() { # reason and place alone
  exit_lines | sed -nE 's/^([^:]*[^ :]) +([0-9a-f]{4}:[0-9a-f]+)  .*/\1 \2/p' | sed -E 's/ +/ /g'
}
