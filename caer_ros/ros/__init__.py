"""The ROS side: the only room that imports rclpy and messages. Thin; the work is in perception."""
