module bench/receiver

go 1.21
