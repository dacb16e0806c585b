"""ROS bags read and written without ROS, by the `rosbags` package where that is installed."""
